"""The simulation: the real writer over a simulated database, with an order and faults that a seed decides."""

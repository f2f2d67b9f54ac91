"""The simulation: the real writer over a simulated database, in an order and with faults that a seed decides."""

"""One account: its state, its transactions, and the one function that applies a transaction to the state."""

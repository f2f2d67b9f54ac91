"""One account: its state, its transactions, and the state that transactions lead to."""

"""Commands inside the transaction of a caller."""

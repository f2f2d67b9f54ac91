"""Commands inside a caller's transaction, and transactions begun for a caller."""

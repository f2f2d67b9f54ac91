"""Check a ledger row by row, against the rules of its time."""

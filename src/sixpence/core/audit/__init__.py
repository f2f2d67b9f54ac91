"""Audits of a ledger, row by row: what must always hold, and whether the rules still decide the same."""

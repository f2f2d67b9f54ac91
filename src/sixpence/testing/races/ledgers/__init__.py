"""The ledger that judges a race, through a service or over HTTP."""

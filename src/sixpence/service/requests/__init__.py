"""What callers send: fields are checked and become requests of the ledger."""

"""From what a caller sent to requests to the ledger: fields, requests with their fingerprints, pages."""

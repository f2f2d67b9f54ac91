"""The schema, its rows, engines and upgrades: what every other room of the ledger reads and writes through."""

"""Tests of the ledger: one suite over SQLite and PostgreSQL, with real files, servers, processes and sockets."""

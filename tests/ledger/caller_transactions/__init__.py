"""Tests of `sixpence.ledger.own`: commands in a transaction of the caller's."""

"""Tests of `sixpence.ledger.caller_transactions`: commands in a caller's transaction."""

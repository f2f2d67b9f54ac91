"""Reads of accounts, of points in time, of the outbox and of usage by day."""

"""Reads: accounts, points in time, the outbox, usage by day."""

"""Delivery after a commit, off the write path: today an alias of the relay."""

"""Prove every account from its rows."""

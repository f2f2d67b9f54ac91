"""Signed checkpoints: create, store and compare them, and prove statements with them."""

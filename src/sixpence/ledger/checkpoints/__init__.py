"""Signed checkpoints: make, store and compare them."""

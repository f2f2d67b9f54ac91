"""Statements, explanations and previews, made from ledger rows."""

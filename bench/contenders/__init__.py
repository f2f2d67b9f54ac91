"""Alternatives to Sixpence, as programs that are measured beside it."""

"""Sixpence in an app's own routes. See README.md in this folder."""

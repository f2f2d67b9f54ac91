"""Sixpence over HTTP. See README.md in this folder."""

"""The servers that tests use: a real PostgreSQL, a real browser, free ports."""

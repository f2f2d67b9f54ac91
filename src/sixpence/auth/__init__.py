"""Authentication: embedded users, their sessions, API keys. See README.md in this folder."""

"""Races and crashes over real HTTP against real server processes, on SQLite and on PostgreSQL."""

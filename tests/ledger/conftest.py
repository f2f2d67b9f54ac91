"""Fixtures: fresh databases of both kinds and in memory, and a clock that the test moves."""

from tests.ledger.databases import clock, database, migrated_once, migrated_postgres_url, module_url, sqlite_url, url

__all__ = ["clock", "database", "migrated_once", "migrated_postgres_url", "module_url", "sqlite_url", "url"]

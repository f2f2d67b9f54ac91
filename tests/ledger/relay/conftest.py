"""The fixtures of this folder: fresh databases of both kinds, and a clock to move."""

from tests.ledger.databases import clock, migrated_once, migrated_postgres_url, sqlite_url, url

__all__ = ["clock", "migrated_once", "migrated_postgres_url", "sqlite_url", "url"]

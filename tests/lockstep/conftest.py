"""The fixtures of this folder: fresh databases of both kinds."""

from tests.ledger.databases import migrated_once, migrated_postgres_url

__all__ = ["migrated_once", "migrated_postgres_url"]

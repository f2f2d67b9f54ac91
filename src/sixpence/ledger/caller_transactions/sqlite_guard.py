"""Statements that a borrower of SQLite's connection may not run, because they would change it for the writer.

A temporary table could hide one of the credits' tables, and a pragma could turn their checks off.
"""

import sqlite3

_CREATE_TEMPORARY = frozenset(
    {
        sqlite3.SQLITE_CREATE_TEMP_INDEX,
        sqlite3.SQLITE_CREATE_TEMP_TABLE,
        sqlite3.SQLITE_CREATE_TEMP_TRIGGER,
        sqlite3.SQLITE_CREATE_TEMP_VIEW,
    }
)
_READS = (sqlite3.SQLITE_READ, sqlite3.SQLITE_PRAGMA)
# Pragmas whose argument changes nothing beyond the transaction.
_ALLOWED_PRAGMAS = frozenset(
    {
        "defer_foreign_keys",
        "foreign_key_check",
        "foreign_key_list",
        "index_info",
        "index_list",
        "index_xinfo",
        "integrity_check",
        "quick_check",
        "table_info",
        "table_list",
        "table_xinfo",
    }
)


def authorize(action: int, first: str | None, second: str | None, database: str | None, _within: str | None) -> int:
    """SQLite's authorizer callback: allow or deny one action of a statement."""
    refused = (
        action in _CREATE_TEMPORARY
        or (database == "temp" and action not in _READS)
        or action in (sqlite3.SQLITE_ATTACH, sqlite3.SQLITE_DETACH)
        or (action == sqlite3.SQLITE_PRAGMA and second is not None and str(first).lower() not in _ALLOWED_PRAGMAS)
    )
    return sqlite3.SQLITE_DENY if refused else sqlite3.SQLITE_OK

"""What a borrower may not do to SQLite's connection, because it would outlive the loan: the writer goes on with it.

A temporary table of a name that the credits have would come before theirs; a pragma could turn their checks off.
"""

import sqlite3

_TEMPORARY = frozenset(
    {
        sqlite3.SQLITE_CREATE_TEMP_INDEX,
        sqlite3.SQLITE_CREATE_TEMP_TABLE,
        sqlite3.SQLITE_CREATE_TEMP_TRIGGER,
        sqlite3.SQLITE_CREATE_TEMP_VIEW,
    }
)
_LOOKING = (sqlite3.SQLITE_READ, sqlite3.SQLITE_PRAGMA)
# Pragmas whose argument changes nothing, or nothing beyond the transaction.
_HARMLESS = frozenset(
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


def answer(action: int, first: str | None, second: str | None, database: str | None, _within: str | None) -> int:
    """SQLite's question about each thing that a statement would do: allowed, or not."""
    refused = (
        action in _TEMPORARY
        or (database == "temp" and action not in _LOOKING)
        or action in (sqlite3.SQLITE_ATTACH, sqlite3.SQLITE_DETACH)
        or (action == sqlite3.SQLITE_PRAGMA and second is not None and str(first).lower() not in _HARMLESS)
    )
    return sqlite3.SQLITE_DENY if refused else sqlite3.SQLITE_OK

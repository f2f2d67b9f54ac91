"""The writer's statements for SQLite. What a batch reads and writes of many rows is one statement over all of them.

Python gives its lock away at every step of a statement, and while the event loop works it waits to get it back. So the
accounts come as one JSON text in one step, and rows are written many at a time.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from sixpence.ledger.database.rows import ACCOUNT_COLUMNS, HOLD_COLUMNS, TRANSACTION_COLUMNS

_TRANSACTION = ", ".join(TRANSACTION_COLUMNS)
# Statements are kept prepared; of a batch as many as possible go together, in one of these sizes.
_AT_ONCE = (256, 64, 16, 4, 1)

MAKE = "INSERT INTO credit_accounts (account_no, account_id) VALUES (?, ?) ON CONFLICT DO NOTHING"
# Bytes are written in hexadecimal, since JSON has none. The cross join goes from the numbers to the accounts.
_IN_JSON = ", ".join("hex(head)" if name == "head" else name for name in ACCOUNT_COLUMNS)
LOAD = f"""
    SELECT json_group_array(json_array({_IN_JSON}))
    FROM json_each(?) CROSS JOIN credit_accounts ON account_no = value
"""
KEYS = f"""
    SELECT {", ".join(f"t.{name}" for name in TRANSACTION_COLUMNS)}
    FROM json_each(?) AS k CROSS JOIN credit_transactions AS t
    ON t.account_no = json_extract(k.value, '$[0]') AND t.idempotency_key = json_extract(k.value, '$[1]')
"""
DUE = "SELECT document FROM credit_holds WHERE account_no = ? AND state = 'open' AND expires_at <= ?"
NEXT = """
    SELECT document FROM credit_holds WHERE account_no = ? AND state = 'open' AND expires_at > ?
    ORDER BY expires_at, seq LIMIT ?
"""
HOLD = "SELECT document FROM credit_holds WHERE account_no = ? AND seq = ?"
KEEP_HOLD = f"""
    INSERT INTO credit_holds ({", ".join(HOLD_COLUMNS)}) VALUES ({", ".join("?" * len(HOLD_COLUMNS))})
    ON CONFLICT (account_no, seq) DO UPDATE SET state = excluded.state, amount = excluded.amount,
        expires_at = excluded.expires_at, document = excluded.document
"""
PAST = f"SELECT {_TRANSACTION} FROM credit_transactions WHERE account_no = ? AND seq = ?"
ABOUT = f"SELECT {_TRANSACTION} FROM credit_transactions WHERE account_no = ? AND about_seq = ?"
NAMING = f"""
    SELECT {_TRANSACTION} FROM credit_transactions
    WHERE account_no = ?1 AND seq > ?2 AND (instr(allocations, ?3) OR instr(detail, ?3))
"""
UNMAKE = "DELETE FROM credit_accounts WHERE account_no = ? AND seq = 0"
OUTBOX = "INSERT INTO outbox (touched, recorded_at) VALUES (?, ?)"
VERSION = "SELECT max(version) FROM catalog_versions"
CATALOGS = """
    SELECT version, applied_at, document FROM catalog_versions WHERE version > ? AND version <= ? ORDER BY version
"""
PERMITTED = "SELECT 1 FROM auth_api_keys WHERE key_hash = ? AND revoked_at IS NULL"
COMMITTED = "SELECT 1 FROM credit_transactions WHERE account_no = ? AND seq = ? AND hash = ?"


@lru_cache
def insert_rows(count: int) -> str:
    """The statement that appends so many transactions."""
    return f"INSERT INTO credit_transactions ({_TRANSACTION}) VALUES {_values(len(TRANSACTION_COLUMNS), count)}"


@lru_cache
def update_accounts(count: int) -> str:
    """The statement that writes so many accounts, each onto the row that is there."""
    # Its first word is UPDATE: only then does Python say how many rows it changed.
    changed = [f"{name} = r.column{place}" for place, name in enumerate(ACCOUNT_COLUMNS, 1) if place > 2]
    return f"""
        UPDATE credit_accounts SET {", ".join(changed)} FROM (VALUES {_values(len(ACCOUNT_COLUMNS), count)}) AS r
        WHERE account_no = r.column1 AND account_id = r.column2
    """


def in_parts(statement: Callable[[int], str], rows: Sequence[tuple[Any, ...]]) -> list[tuple[str, list[Any]]]:
    """The rows in statements of many, with the values of each."""
    parts = []
    start = 0
    for size in _AT_ONCE:
        while len(rows) - start >= size:
            parts.append((statement(size), [value for row in rows[start : start + size] for value in row]))
            start += size
    return parts


def _values(columns: int, count: int) -> str:
    return ", ".join([f"({', '.join('?' * columns)})"] * count)

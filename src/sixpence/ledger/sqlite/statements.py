"""The writer's statements for SQLite. A batch reads and writes many rows with one statement.

Python releases its global lock at every step of a statement, and waits for it while the event loop works. So accounts
are read as one JSON text in one step, and rows are written many at a time.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from sixpence.ledger.database.rows import ACCOUNT_COLUMNS, HOLD_COLUMNS, TRANSACTION_COLUMNS

_TRANSACTION = ", ".join(TRANSACTION_COLUMNS)
# sqlite3 caches prepared statements, so a batch is split into few sizes, the largest first.
_CHUNK_SIZES = (256, 64, 16, 4, 1)

CREATE_ACCOUNT = "INSERT INTO credit_accounts (account_no, account_id) VALUES (?, ?) ON CONFLICT DO NOTHING"
# Bytes are hexadecimal, since JSON has no bytes. CROSS JOIN makes SQLite look accounts up by number.
_IN_JSON = ", ".join("hex(head)" if name == "head" else name for name in ACCOUNT_COLUMNS)
LOAD_ACCOUNTS = f"""
    SELECT json_group_array(json_array({_IN_JSON}))
    FROM json_each(?) CROSS JOIN credit_accounts ON account_no = value
"""
TRANSACTIONS_BY_KEY = f"""
    SELECT {", ".join(f"t.{name}" for name in TRANSACTION_COLUMNS)}
    FROM json_each(?) AS k CROSS JOIN credit_transactions AS t
    ON t.account_no = json_extract(k.value, '$[0]') AND t.idempotency_key = json_extract(k.value, '$[1]')
"""
DUE_HOLDS = "SELECT document FROM credit_holds WHERE account_no = ? AND state = 'open' AND expires_at <= ?"
NEXT_HOLDS = """
    SELECT document FROM credit_holds WHERE account_no = ? AND state = 'open' AND expires_at > ?
    ORDER BY expires_at, seq LIMIT ?
"""
HOLD_BY_SEQ = "SELECT document FROM credit_holds WHERE account_no = ? AND seq = ?"
UPSERT_HOLD = f"""
    INSERT INTO credit_holds ({", ".join(HOLD_COLUMNS)}) VALUES ({", ".join("?" * len(HOLD_COLUMNS))})
    ON CONFLICT (account_no, seq) DO UPDATE SET state = excluded.state, amount = excluded.amount,
        expires_at = excluded.expires_at, document = excluded.document
"""
TRANSACTION_BY_SEQ = f"SELECT {_TRANSACTION} FROM credit_transactions WHERE account_no = ? AND seq = ?"
TRANSACTIONS_ABOUT = f"SELECT {_TRANSACTION} FROM credit_transactions WHERE account_no = ? AND about_seq = ?"
TRANSACTIONS_CONTAINING = f"""
    SELECT {_TRANSACTION} FROM credit_transactions
    WHERE account_no = ?1 AND seq > ?2 AND (instr(allocations, ?3) OR instr(detail, ?3))
"""
DELETE_UNUSED_ACCOUNT = "DELETE FROM credit_accounts WHERE account_no = ? AND seq = 0"
INSERT_OUTBOX = "INSERT INTO outbox (touched, recorded_at) VALUES (?, ?)"
CATALOG_VERSION = "SELECT max(version) FROM catalog_versions"
CATALOGS = """
    SELECT version, applied_at, document FROM catalog_versions WHERE version > ? AND version <= ? ORDER BY version
"""
ACTIVE_API_KEY = "SELECT 1 FROM auth_api_keys WHERE key_hash = ? AND revoked_at IS NULL"
FIND_COMMITTED = "SELECT 1 FROM credit_transactions WHERE account_no = ? AND seq = ? AND hash = ?"


@lru_cache
def insert_transactions(count: int) -> str:
    """The statement that inserts `count` transactions."""
    return f"INSERT INTO credit_transactions ({_TRANSACTION}) VALUES {_values(len(TRANSACTION_COLUMNS), count)}"


@lru_cache
def update_accounts(count: int) -> str:
    """The statement that updates `count` accounts."""
    # It starts with UPDATE, since Python counts changed rows only for such statements.
    changed = [f"{name} = r.column{place}" for place, name in enumerate(ACCOUNT_COLUMNS, 1) if place > 2]
    return f"""
        UPDATE credit_accounts SET {", ".join(changed)} FROM (VALUES {_values(len(ACCOUNT_COLUMNS), count)}) AS r
        WHERE account_no = r.column1 AND account_id = r.column2
    """


def in_chunks(statement: Callable[[int], str], rows: Sequence[tuple[Any, ...]]) -> list[tuple[str, list[Any]]]:
    """Split the rows into statements of many rows, each with its values."""
    chunks = []
    start = 0
    for size in _CHUNK_SIZES:
        while len(rows) - start >= size:
            chunks.append((statement(size), [value for row in rows[start : start + size] for value in row]))
            start += size
    return chunks


def _values(columns: int, count: int) -> str:
    return ", ".join([f"({', '.join('?' * columns)})"] * count)

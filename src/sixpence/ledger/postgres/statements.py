"""The writer's statements for PostgreSQL, built from the tables' columns; each takes its rows as one JSON parameter.

msgspec writes bytes as base64.
"""

from typing import Any

from sqlalchemy import BigInteger, Column, Integer, LargeBinary, Table

from sixpence.ledger.database.tables import credit_accounts, credit_holds, credit_transactions

Row = tuple[Any, ...]
Parameter = str | None
Call = tuple[str, tuple[Parameter, ...]]
"""A statement's text with $1, $2 ..., and the text of each parameter."""


def _declared(column: Column[object]) -> str:
    kinds: dict[type, str] = {BigInteger: "bigint", Integer: "integer"}
    kind = kinds.get(type(column.type), "text")
    return f"{column.name} {kind}"


def _read(column: Column[object]) -> str:
    if isinstance(column.type, LargeBinary):
        return f"decode(r.{column.name}, 'base64')"
    return f"r.{column.name}"


def _recordset(table: Table) -> str:
    return f"json_to_recordset($1::json) AS r({', '.join(map(_declared, table.columns))})"


def _columns(table: Table, alias: str = "") -> str:
    return ", ".join(f"{alias}{column.name}" for column in table.columns)


BEGIN = "BEGIN ISOLATION LEVEL READ COMMITTED"
COMMIT = "COMMIT"
ROLLBACK = "ROLLBACK"
SHORT_LOCK_TIMEOUT = "SET LOCAL lock_timeout = '1ms'"
# How long the check of a lost commit waits for a session that may still be committing.
LONG_LOCK_TIMEOUT = "SET LOCAL lock_timeout = '5s'"
CREATE_ACCOUNTS = """
    INSERT INTO credit_accounts (account_no, account_id)
    SELECT r.account_no, r.account_id
    FROM json_to_recordset($1::json) AS r(account_no bigint, account_id text)
    ORDER BY r.account_no
    ON CONFLICT DO NOTHING
"""
LOCK_ACCOUNTS = f"""
    SELECT {_columns(credit_accounts)} FROM credit_accounts
    WHERE account_no = ANY($1::bigint[]) ORDER BY account_no FOR UPDATE
"""
LOCK_FREE_ACCOUNTS = LOCK_ACCOUNTS + " SKIP LOCKED"
FIND_ACCOUNTS = "SELECT account_no FROM credit_accounts WHERE account_no = ANY($1::bigint[])"
# After the lock: the time, the catalog's version, and which of the commands' API keys are still active.
CLOCK_AND_CATALOG = """
    SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint,
           (SELECT max(version) FROM catalog_versions),
           ARRAY(SELECT key_hash FROM auth_api_keys WHERE key_hash = ANY($1::bytea[]) AND revoked_at IS NULL)
"""
CATALOGS = """
    SELECT version, applied_at, document FROM catalog_versions WHERE version > $1::bigint AND version <= $2::bigint
    ORDER BY version
"""
TRANSACTIONS_BY_KEY = f"""
    SELECT {_columns(credit_transactions, "t.")}
    FROM json_to_recordset($1::json) AS k(account_no bigint, idempotency_key text)
    CROSS JOIN LATERAL (
        SELECT * FROM credit_transactions
        WHERE account_no = k.account_no AND idempotency_key = k.idempotency_key LIMIT 1
    ) AS t
"""
_ACCOUNT_HOLDS = "SELECT account_no, document FROM credit_holds WHERE account_no = w.account_no"
# The open holds that are due, and the next ones, `beyond` of them.
OPEN_HOLDS = f"""
    SELECT h.account_no, h.document
    FROM json_to_recordset($1::json) AS w(account_no bigint, due_by bigint, beyond bigint)
    CROSS JOIN LATERAL (
        ({_ACCOUNT_HOLDS} AND state = 'open' AND expires_at <= w.due_by)
        UNION ALL
        ({_ACCOUNT_HOLDS} AND state = 'open' AND expires_at > w.due_by ORDER BY expires_at, seq LIMIT w.beyond)
    ) AS h
"""
_ROW_KEYS = "json_to_recordset($1::json) AS w(account_no bigint, seq bigint)"
HOLDS_BY_SEQ = f"""
    SELECT h.account_no, h.document FROM {_ROW_KEYS} CROSS JOIN LATERAL ({_ACCOUNT_HOLDS} AND seq = w.seq LIMIT 1) AS h
"""
TRANSACTIONS_BY_SEQ = f"""
    SELECT {_columns(credit_transactions, "t.")} FROM {_ROW_KEYS}
    CROSS JOIN LATERAL (
        SELECT * FROM credit_transactions WHERE account_no = w.account_no AND seq = w.seq LIMIT 1
    ) AS t
"""
# OFFSET 0 forces one index look-up per row key, also while the statistics of a new table suggest another plan.
TRANSACTIONS_ABOUT = f"""
    SELECT {_columns(credit_transactions, "t.")} FROM {_ROW_KEYS}
    CROSS JOIN LATERAL (
        SELECT * FROM credit_transactions WHERE account_no = w.account_no AND about_seq = w.seq OFFSET 0
    ) AS t
"""
# The rows of an account above a `seq` that have one of the words in their texts; each row is read once.
TRANSACTIONS_CONTAINING = f"""
    SELECT {_columns(credit_transactions, "t.")}
    FROM json_to_recordset($1::json) AS w(account_no bigint, above bigint, words text[])
    CROSS JOIN LATERAL (
        SELECT * FROM credit_transactions AS c
        WHERE account_no = w.account_no AND seq > w.above AND EXISTS (
            SELECT FROM unnest(w.words) AS word
            WHERE strpos(c.allocations, word) > 0 OR strpos(c.detail, word) > 0
        ) OFFSET 0
    ) AS t
"""
UPSERT_HOLDS = f"""
    INSERT INTO credit_holds ({_columns(credit_holds)})
    SELECT {", ".join(map(_read, credit_holds.columns))} FROM {_recordset(credit_holds)}
    ON CONFLICT (account_no, seq) DO UPDATE SET state = excluded.state, amount = excluded.amount,
        expires_at = excluded.expires_at, document = excluded.document
"""
INSERT_TRANSACTIONS = f"""
    INSERT INTO credit_transactions ({_columns(credit_transactions)})
    SELECT {", ".join(map(_read, credit_transactions.columns))} FROM {_recordset(credit_transactions)}
"""
# Dividing by whether every account was updated turns a lost update into an error before COMMIT, without a round trip.
UPDATE_ACCOUNTS = f"""
    WITH updated AS (
        UPDATE credit_accounts AS a
        SET {", ".join(f"{c.name} = {_read(c)}" for c in credit_accounts.columns if not c.primary_key)}
        FROM {_recordset(credit_accounts)}
        WHERE a.account_no = r.account_no AND a.account_id = r.account_id
        RETURNING 1
    )
    SELECT 1 / (count(*) = $2::bigint)::int FROM updated
"""
DELETE_UNUSED_ACCOUNTS = "DELETE FROM credit_accounts WHERE account_no = ANY($1::bigint[]) AND seq = 0"
INSERT_OUTBOX = """
    INSERT INTO outbox (touched, recorded_at, written_by)
    VALUES ($1, $2::bigint, pg_current_xact_id()::text::bigint)
"""
FIND_COMMITTED = (
    "SELECT 1 FROM credit_transactions WHERE account_no = $1::bigint AND seq = $2::bigint AND hash = $3::bytea"
)

"""PostgreSQL's own benchmark doing the same in one statement: debit, entry, unique key; no grants, chain or rules."""

import re
import subprocess
import tempfile
from pathlib import Path

import psycopg

_SCHEMA = """
    CREATE TABLE accounts (
        id bigint PRIMARY KEY, remaining bigint NOT NULL CHECK (remaining >= 0), seq bigint NOT NULL
    );
    CREATE TABLE entries (
        account bigint, seq bigint, amount bigint NOT NULL, balance_after bigint NOT NULL, feature text NOT NULL,
        key uuid NOT NULL, created_at timestamptz NOT NULL, PRIMARY KEY (account, seq), UNIQUE (account, key)
    );
"""
_SCRIPT = r"""
\set a random(1, {accounts})
WITH debit AS (
    UPDATE accounts SET remaining = remaining - 1, seq = seq + 1 WHERE id = :a AND remaining >= 1
    RETURNING id, seq, remaining
)
INSERT INTO entries SELECT id, seq, -1, remaining, 'interior', gen_random_uuid(), clock_timestamp() FROM debit;
"""


def prepare(url: str, accounts: int) -> None:
    """Make the two tables and fill the accounts."""
    with psycopg.connect(url) as connection:
        for statement in _SCHEMA.split(";")[:-1]:
            connection.execute(statement.encode())
        connection.execute("INSERT INTO accounts SELECT i, 1000000000, 0 FROM generate_series(1, %s) AS i", (accounts,))
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE accounts")


def run(program: Path, url: str, *, accounts: int, clients: int, seconds: int) -> float:
    """Debits a second with so many clients."""
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as script:
        script.write(_SCRIPT.format(accounts=accounts))
        script.flush()
        threads = str(min(2, clients))
        options = [
            "-n",
            "-M",
            "prepared",
            "-c",
            str(clients),
            "-j",
            threads,
            "-T",
            str(seconds),
            "-f",
            script.name,
            url,
        ]
        text = subprocess.run([str(program), *options], check=True, capture_output=True, text=True).stdout
    match = re.search(r"tps = ([\d.]+)", text)
    if match is None:
        raise SystemExit(f"pgbench said something unexpected:\n{text}")
    return float(match[1])

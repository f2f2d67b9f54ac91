"""PostgreSQL's own benchmark doing the same in one statement: debit, entry, unique key; no grants, chain or rules."""

import re
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from bench.part import Figure, Options, Outcome, Run
from bench.templates import PostgresTemplate, settle
from tests.support.postgres import PostgresServer

THREADS_MAX = 2
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


def template(server: PostgresServer, accounts: int) -> PostgresTemplate:
    """A database with the two tables and the accounts in them."""
    url = server.create_database()
    with psycopg.connect(url) as connection:
        for statement in _SCHEMA.split(";")[:-1]:
            connection.execute(statement.encode())
        connection.execute("INSERT INTO accounts SELECT i, 1000000000, 0 FROM generate_series(1, %s) AS i", (accounts,))
    settle(url)
    return PostgresTemplate(server, url)


def debits(template: PostgresTemplate, *, accounts: int, clients: int, options: Options) -> Run:
    """Measure debits a second with `clients` clients, on a copy; `accounts` 1 is one hot account."""

    @contextmanager
    def run() -> Iterator[Outcome]:
        with template.copied() as database, tempfile.TemporaryDirectory() as folder:
            program = template.server.bin / "pgbench"
            script = Path(folder) / "debit.sql"
            script.write_text(_SCRIPT.format(accounts=accounts))
            threads = min(THREADS_MAX, clients)
            command = [str(program), "-n", "-M", "prepared", "-c", str(clients), "-j", str(threads), "-f", str(script)]
            if options.warm_seconds:
                _run([*command, "-T", str(options.warm_seconds), database], folder)
            # With one client each debit's time is written down; the median of these is what a caller waits.
            logged = ["-l"] if clients == 1 else []
            text = _run([*command, *logged, "-T", str(options.seconds), database], folder)
            p50_ms, p99_ms = _latencies(Path(folder))
            yield Outcome(Figure(value=_rate(text), p50_ms=p50_ms, p99_ms=p99_ms), failed=_failed(text))

    return run


def _run(command: list[str], folder: str) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"pgbench failed with status {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


def _rate(text: str) -> float:
    match = re.search(r"tps = ([\d.]+)", text)
    if match is None:
        raise RuntimeError(f"pgbench said something unexpected:\n{text}")
    return float(match[1])


def _failed(text: str) -> int:
    match = re.search(r"number of failed transactions: (\d+)", text)
    return int(match[1]) if match else 0


def _latencies(folder: Path) -> tuple[float | None, float | None]:
    """Of the log of every transaction (client, number, microseconds, ...): p50 and p99 in milliseconds."""
    lines = [line for path in folder.glob("pgbench_log.*") for line in path.read_text().splitlines()]
    times = sorted(int(line.split()[2]) for line in lines)
    if not times:
        return None, None
    return times[len(times) // 2] / 1000, times[len(times) * 99 // 100] / 1000

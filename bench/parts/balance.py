"""Part g: reading a balance over HTTP, `GET /v1/accounts/{id}`, on both databases."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from bench.accounts import filled_postgres, filled_sqlite
from bench.http_run import ours
from bench.part import Options, Part, Run
from bench.templates import postgres_server
from bench.wrk import Load

_LOADS = {"1 connection": Load("balance", 1), "64 connections": Load("balance", 64)}
_DATABASES = ("PostgreSQL", "SQLite")


@contextmanager
def _opened(options: Options) -> Iterator[Mapping[str, Run]]:
    with postgres_server() as server, filled_sqlite(options.accounts) as file:
        filled = zip(_DATABASES, (filled_postgres(server, options.accounts), file), strict=True)
        yield {
            f"{database}, {connections}": ours(there, load, options)
            for database, there in filled
            for connections, load in _LOADS.items()
        }


BALANCE = Part(
    letter="g",
    title="reading a balance over HTTP",
    contenders=tuple(f"{database}, {connections}" for database in _DATABASES for connections in _LOADS),
    opened=_opened,
    short=False,
    accounts=20_000,
    setup_seconds=15,
    between_seconds=3,
    ratios=(),
)

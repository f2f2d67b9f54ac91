"""Part j: consumes over HTTP where making a write durable takes a millisecond longer, on both databases."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial

from bench import pgbench
from bench.accounts import filled_postgres, filled_sqlite
from bench.contenders import naive_postgres, naive_sqlite
from bench.http_run import naive, ours, theirs
from bench.part import Options, Part, Ratio, Run
from bench.slow_disk import POSTGRES, can_slow_sqlite, slow_environment
from bench.templates import SETTINGS
from bench.wrk import Load
from tests.support.postgres import PostgresServer

_LOAD = Load("consume", 64)
_PGBENCH = {"pgbench, 1 client": 1, "pgbench, 8 clients": 8, "pgbench, 64 clients": 64}
_OURS, _NAIVE = "Sixpence, PostgreSQL", "naive app, PostgreSQL"
_OURS_ON_FILE, _NAIVE_ON_FILE = "Sixpence, SQLite", "one transaction a request, SQLite"
_ON_FILE = (_OURS_ON_FILE, _NAIVE_ON_FILE) if can_slow_sqlite() else ()


@contextmanager
def _opened(options: Options) -> Iterator[Mapping[str, Run]]:
    with PostgresServer({**SETTINGS, **POSTGRES}) as server:
        beside = pgbench.template(server, options.accounts)
        wallet = naive_postgres.template(server, options.accounts)
        runs = {
            _OURS: ours(filled_postgres(server, options.accounts), _LOAD, options),
            _NAIVE: theirs(wallet, naive, _LOAD, options),
            **{
                name: pgbench.debits(beside, accounts=options.accounts, clients=clients, options=options)
                for name, clients in _PGBENCH.items()
            },
        }
        if not _ON_FILE:
            print("j: SQLite is left out; a C library makes its disk slow, and there is no compiler for it", flush=True)
            yield runs
            return
        with _runs_on_file(options) as more:
            yield {**runs, **more}


@contextmanager
def _runs_on_file(options: Options) -> Iterator[Mapping[str, Run]]:
    slow = slow_environment()
    with filled_sqlite(options.accounts) as filled, naive_sqlite.template(options.accounts) as wallet:
        yield {
            _OURS_ON_FILE: ours(filled, _LOAD, options, env=slow),
            _NAIVE_ON_FILE: theirs(wallet, partial(naive, env=slow), _LOAD, options),
        }


SLOW_DISK = Part(
    letter="j",
    title="consume over HTTP, 64 connections, a millisecond more for each fsync",
    contenders=(_OURS, _NAIVE, *_PGBENCH, *_ON_FILE),
    opened=_opened,
    short=False,
    setup_seconds=60,
    between_seconds=6,
    ratios=(
        Ratio(name="to pgbench's best, PostgreSQL", above=(_OURS,), below=tuple(_PGBENCH)),
        Ratio(name="to the naive app, PostgreSQL", above=(_OURS,), below=(_NAIVE,)),
        # Without SQLite's contenders nobody measures it.
        Ratio(name="to one transaction a request, SQLite", above=(_OURS_ON_FILE,), below=(_NAIVE_ON_FILE,)),
    ),
)

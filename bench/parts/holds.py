"""Part e: work that takes a while, and work that failed: holds that are captured and consumes that are refunded.

The figure is finished pairs (a place with its capture, a consume with its refund) a second, beside consumes a second.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from bench.accounts import filled_postgres, filled_sqlite
from bench.http_run import ours
from bench.part import Options, Part, Ratio, Run
from bench.templates import postgres_server
from bench.wrk import Load

_CONNECTIONS = 64
_DATABASES = ("PostgreSQL", "SQLite")
_SCRIPTS = {
    "consume": "consume",
    "place and capture of a hold": "holds",
    "consume and its refund": "refunds",
}


def _name(database: str, what: str) -> str:
    return f"{what}, {database}"


@contextmanager
def _opened(options: Options) -> Iterator[Mapping[str, Run]]:
    with postgres_server() as server, filled_sqlite(options.accounts) as file:
        filled = dict(zip(_DATABASES, (filled_postgres(server, options.accounts), file), strict=True))
        yield {
            _name(database, what): ours(there, Load(script, _CONNECTIONS), options)
            for database, there in filled.items()
            for what, script in _SCRIPTS.items()
        }


def _ratio(database: str, what: str, *, at_least: float | None = None, aim: float | None = None) -> Ratio:
    return Ratio(
        name=f"{what}, to consume, {database}",
        above=(_name(database, what),),
        below=(_name(database, "consume"),),
        at_least=at_least,
        aim=aim,
    )


HOLDS = Part(
    letter="e",
    title="holds and refunds over HTTP, 64 connections",
    contenders=tuple(_name(database, what) for database in _DATABASES for what in _SCRIPTS),
    opened=_opened,
    short=True,
    beyond_short=tuple(_name(database, "consume and its refund") for database in _DATABASES),
    unit="pairs (or consumes) a second",
    accounts=20_000,
    setup_seconds=15,
    between_seconds=3,
    ratios=(
        *(_ratio(database, "place and capture of a hold", at_least=0.4, aim=0.5) for database in _DATABASES),
        *(_ratio(database, "consume and its refund") for database in _DATABASES),
    ),
)

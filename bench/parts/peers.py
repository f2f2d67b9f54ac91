"""Part d: what others have published for the same purpose, over HTTP and as libraries, on the databases they have."""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from bench.accounts import Filled, filled_postgres, filled_sqlite
from bench.http_run import ours
from bench.part import Options, Part, Ratio, Run
from bench.peers.runs import CUSTOMERS, THREADS, filled_library, gringotts, gringotts_customers, library, our_library
from bench.templates import PostgresTemplate, SQLiteTemplate, Template, postgres_server, settle
from bench.wrk import Load

_DATABASES = ("PostgreSQL", "SQLite")
_CONNECTIONS = (8, 64)
_LIBRARIES = {"hf-nostro": "bench.peers.nostro", "credit-ledger": "bench.peers.credit_ledger"}


def _http(system: str, database: str, connections: int) -> str:
    return f"{system} over HTTP, {database}, {connections} connections"


def _library(system: str, database: str) -> str:
    return f"{system} as a library, {database}, {THREADS} threads"


_OURS, _GRINGOTTS = "Sixpence", "gringotts-api"


@contextmanager
def _opened(options: Options) -> Iterator[Mapping[str, Run]]:
    with postgres_server() as server, filled_sqlite(CUSTOMERS) as file, tempfile.TemporaryDirectory() as folder:
        database = PostgresTemplate(server, server.create_database())
        yield {
            **_ours("PostgreSQL", filled_postgres(server, CUSTOMERS), options),
            **_ours("SQLite", file, options),
            **_gringotts("PostgreSQL", database, options),
            **_gringotts("SQLite", SQLiteTemplate(Path(folder) / "template.db"), options),
            **{
                _library(peer, "PostgreSQL"): library(peer, module, filled_library(peer, module, server), options)
                for peer, module in _LIBRARIES.items()
            },
        }


def _ours(database: str, filled: Filled, options: Options) -> Mapping[str, Run]:
    return {
        _library(_OURS, database): our_library(filled, options),
        **{_http(_OURS, database, number): ours(filled, Load("consume", number), options) for number in _CONNECTIONS},
    }


def _gringotts(database: str, template: Template, options: Options) -> Mapping[str, Run]:
    keys = gringotts_customers(template)
    if isinstance(template, PostgresTemplate):
        settle(template.url)
    return {_http(_GRINGOTTS, database, number): gringotts(template, keys, number, options) for number in _CONNECTIONS}


_NAMES = (
    *(
        _http(system, database, number)
        for database in _DATABASES
        for system in (_OURS, _GRINGOTTS)
        for number in _CONNECTIONS
    ),
    *(_library(_OURS, database) for database in _DATABASES),
    *(_library(peer, "PostgreSQL") for peer in _LIBRARIES),
)
_BEYOND_SHORT = tuple(name for name in _NAMES if not name.endswith(", 8 connections"))

PEERS = Part(
    letter="d",
    title="beside what others have published, 64 customers",
    contenders=_NAMES,
    opened=_opened,
    short=True,
    beyond_short=_BEYOND_SHORT,
    unit="charges a second",
    seconds=3,
    accounts=CUSTOMERS,
    setup_seconds=60,
    between_seconds=6,
    ratios=(
        *(
            Ratio(
                name=f"to gringotts-api over HTTP, {database}, 8 connections",
                above=(_http(_OURS, database, 8),),
                below=(_http(_GRINGOTTS, database, 8),),
                at_least=20,
                aim=50,
            )
            for database in _DATABASES
        ),
        *(
            Ratio(
                name=f"library to {peer}, {THREADS} threads",
                above=(_library(_OURS, "PostgreSQL"),),
                below=(_library(peer, "PostgreSQL"),),
            )
            for peer in _LIBRARIES
        ),
    ),
)

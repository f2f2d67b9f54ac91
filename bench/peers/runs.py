"""Runs of the peers: gringotts-api's server under wrk, and libraries, ours among them, in their loops."""

import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from bench import wrk
from bench.accounts import Filled
from bench.contenders.process import serving
from bench.part import Figure, Options, Outcome, Run
from bench.peers.environments import program_of, run
from bench.templates import PostgresTemplate, Template, settle
from bench.wrk import Load
from tests.support.postgres import PostgresServer

CUSTOMERS = 64
THREADS = 8
_ROOT = Path(__file__).parents[2]
_GRINGOTTS = "bench.peers.gringotts_app"


def gringotts_customers(template: Template) -> list[str]:
    """Make gringotts-api's tables and customers in an empty database; gives their API keys."""
    said = run(program_of("gringotts-api", _GRINGOTTS, str(CUSTOMERS)), _environment(template.url))
    return [line for line in said.splitlines() if line.startswith("gk_")]


def gringotts(template: Template, keys: Sequence[str], connections: int, options: Options) -> Run:
    """Charges over HTTP. What fails is counted beside the figure: the peer is as it is."""
    command = program_of("gringotts-api", "uvicorn", f"{_GRINGOTTS}:app", "--port", "{port}", "--no-access-log")

    @contextmanager
    def charged() -> Iterator[Outcome]:
        with template.copied() as database:
            with serving(command, ready="/openapi.json", env=_environment(database)) as url:
                load = Load("charges", connections)
                measured = wrk.run(url, load, key=",".join(keys), accounts=len(keys), options=options)
            facts = {"failed or later than 2 s": float(measured.failed)} if measured.failed else {}
            figure = Figure(
                value=measured.figure.value,
                p50_ms=measured.figure.p50_ms,
                p99_ms=measured.figure.p99_ms,
                facts=facts,
            )
            yield Outcome(figure)

    return charged


def filled_library(peer: str, module: str, server: PostgresServer) -> PostgresTemplate:
    """A database with the tables and customers of a peer's library."""
    url = server.create_database()
    run(program_of(peer, module, "fill", url, str(CUSTOMERS)), _environment(url))
    settle(url)
    return PostgresTemplate(server, url)


def library(peer: str, module: str, template: Template, options: Options) -> Run:
    """Charges by a peer's library from threads of one process."""

    @contextmanager
    def charged() -> Iterator[Outcome]:
        with template.copied() as database:
            yield Outcome(_looped(program_of(peer, module, *_arguments(database, options)), database))

    return charged


def our_library(filled: Filled, options: Options) -> Run:
    """The same by ours; its ledger is to be verified."""

    @contextmanager
    def charged() -> Iterator[Outcome]:
        with filled.template.copied() as database:
            command = [sys.executable, "-m", "bench.peers.sixpence", *_arguments(database, options)]
            yield Outcome(_looped(command, database), ledger=database)

    return charged


def _arguments(database: str, options: Options) -> list[str]:
    numbers = (CUSTOMERS, THREADS, options.warm_seconds, options.seconds)
    return ["charge", database, *map(str, numbers)]


def _looped(command: list[str], database: str) -> Figure:
    figures = json.loads(run(command, _environment(database)))
    return Figure(value=figures["rate"], p50_ms=figures["p50_ms"], p99_ms=figures["p99_ms"])


def _environment(database: str) -> dict[str, str]:
    """Of ours: where the bench's modules are, and the database where the peers look for it."""
    return {**os.environ, "PYTHONPATH": str(_ROOT), "DATABASE_URL": database}

"""`sixpence serve`, and the steps of starting a server that the demo shares.

Everything that can be wrong is found before the first request: the workers, the file's lock, the port, the database.
"""

import os
import secrets
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import click
import msgspec

from sixpence.cli.operator import file_lock
from sixpence.cli.server import processes, sockets
from sixpence.cli.server.welcome import welcome
from sixpence.cli.terminal import database as databases
from sixpence.cli.terminal.errors import CommandRefusedError
from sixpence.cli.terminal.logs import configure_logs
from sixpence.cli.terminal.options import database_option, settings_of
from sixpence.core.catalog.catalog import PricedBy
from sixpence.ledger.database import catalogs
from sixpence.ledger.database.engines import DatabaseAddress, SQLiteFile, parse_database_url
from sixpence.settings import Settings
from sixpence.wiring import create_app, open_ledger

# As long as a server that is being replaced takes to stop.
TAKE_OVER_SECONDS = 5.0


@click.command()
@click.option("--host", metavar="ADDRESS", help="Where to listen: 127.0.0.1 (this machine only), 0.0.0.0 (everybody).")
@click.option("--port", type=click.IntRange(0, 65535), help="Which port: 8000 by default, 0 for any that is free.")
@click.option("--workers", type=click.IntRange(1, 64), default=1, show_default=True, help="Processes, on PostgreSQL.")
@database_option
def serve(host: str | None, port: int | None, workers: int, database: str | None) -> None:
    """Serve the HTTP API until it is stopped (Ctrl-C, SIGTERM).

    \b
    Examples:
      sixpence serve
      sixpence serve --host 0.0.0.0 --port 80 --database postgresql://app@db.example.com/credits --workers 4

    At the start it prints where the API answers, where the data is and how to get a key. One server at a time may have
    a SQLite file; any number of servers, with any number of workers, may share one PostgreSQL.
    """
    settings = settings_of(database=database, host=host, port=port)
    processes.end_quietly_when_told()
    configure_logs(supervisor=workers > 1)
    place = _place(settings, workers)
    with started(settings, place) as (ready, listeners):
        welcome(ready, opened(ready))
        if workers == 1:
            processes.run_here(create_app(ready), listeners)
        else:
            shared = msgspec.structs.replace(ready, batches_in_flight=ready.batches_in_flight or 1)
            processes.run_workers(
                "sixpence.cli.server.worker:create_worker_app",
                listeners,
                workers=workers,
                environment=shared.environment(),
            )


@contextmanager
def started(settings: Settings, place: DatabaseAddress) -> Iterator[tuple[Settings, list[socket.socket]]]:
    """Hold the file and listen; gives the settings with the port that was taken and the local operator's token."""
    with ExitStack() as stack:
        if isinstance(place, SQLiteFile):
            _take(stack, place)
        listeners = stack.enter_context(sockets.listening(settings.host, settings.port))
        ready = msgspec.structs.replace(settings, port=sockets.port_of(listeners), local_operator_token="")
        if isinstance(place, SQLiteFile):
            ready = msgspec.structs.replace(ready, local_operator_token=secrets.token_urlsafe(32))
            _announce(stack, place, ready, listeners)
        yield ready, listeners


def opened(settings: Settings) -> PricedBy:
    """Open the database once, which says at once what is wrong with it, and give the catalog in force."""
    with databases.told_in_words(settings):
        ledger = open_ledger(settings)
        try:
            ledger.open()
            applied = ledger.read_and_wait(catalogs.find_current)
        finally:
            ledger.close()
    if applied is None:
        raise CommandRefusedError("The database has no catalog. Run: sixpence catalog apply.")
    return applied


def _place(settings: Settings, workers: int) -> DatabaseAddress:
    if isinstance(parse_database_url(settings.database), SQLiteFile) and workers > 1:
        raise CommandRefusedError(
            f"workers: {workers} processes cannot share a SQLite file, which has one writer. "
            "Use --workers 1, or name a PostgreSQL with --database."
        )
    return databases.prepared_place(settings)


def _take(stack: ExitStack, place: SQLiteFile) -> None:
    try:
        stack.enter_context(file_lock.held(place, wait_seconds=TAKE_OVER_SECONDS))
    except file_lock.HeldError as error:
        raise CommandRefusedError(
            f"database: process {error.pid} serves {place.path} already, and a SQLite file has one server. "
            f"Stop that one (kill {error.pid}), or name another file or a PostgreSQL with --database."
        ) from error


def _announce(stack: ExitStack, place: SQLiteFile, settings: Settings, listeners: list[socket.socket]) -> None:
    address = sockets.local_address(listeners)
    if address is None:
        # The token travels on this machine alone, also where the server listens elsewhere only.
        listeners += stack.enter_context(sockets.listening(sockets.LOOPBACK, 0))
        address = sockets.local_address(listeners[-1:])
    assert address is not None
    note = file_lock.RunningServer(pid=os.getpid(), address=address, token=settings.local_operator_token)
    stack.enter_context(file_lock.announced(place, note))

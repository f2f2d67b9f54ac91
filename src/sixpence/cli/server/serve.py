"""`sixpence serve`, and the steps of starting a server, which the demo shares.

Every problem is found before the first request: the number of workers, the file's lock, the port, the database.
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
from sixpence.cli.server.welcome import print_welcome
from sixpence.cli.terminal import database as databases
from sixpence.cli.terminal.errors import CommandRefusedError
from sixpence.cli.terminal.logs import configure_logs
from sixpence.cli.terminal.options import Number, database_option, read_settings
from sixpence.core.catalog.catalog import PricedBy
from sixpence.ledger.database import catalogs
from sixpence.ledger.database.engines import DatabaseAddress, SQLiteFile, parse_database_url
from sixpence.settings import Settings
from sixpence.wiring import create_app, open_ledger

# How long a server that is being replaced takes to stop.
TAKE_OVER_SECONDS = 5.0


@click.command()
@click.option(
    "--host", metavar="ADDRESS", help="The address to listen on: 127.0.0.1 (this machine), 0.0.0.0 (every network)."
)
@click.option("--port", type=Number(0, 65535), help="The port: 8000 by default, 0 for any free one.")
@click.option(
    "--workers",
    type=Number(1, 64),
    default=1,
    show_default=True,
    help="The number of processes, on PostgreSQL.",
)
@database_option
def serve(host: str | None, port: int | None, workers: int, database: str | None) -> None:
    """Serve the HTTP API until it is stopped (Ctrl-C, SIGTERM).

    \b
    Examples:
      sixpence serve
      sixpence serve --host 0.0.0.0 --port 80 --database postgresql://app@db.example.com/credits --workers 4

    At the start it prints the address of the API, the place of the data and how to get a key. A SQLite file has one
    server at a time; any number of servers, with any number of workers, may share one PostgreSQL.
    """
    settings = read_settings(database=database, host=host, port=port)
    processes.exit_cleanly_on_signals()
    configure_logs(supervisor=workers > 1)
    place = _prepare_place(settings, workers)
    with prepare_server(settings, place) as (ready, listeners):
        print_welcome(ready, read_current_catalog(ready))
        if workers == 1:
            processes.serve_in_process(create_app(ready), listeners)
        else:
            shared = msgspec.structs.replace(ready, batches_in_flight=ready.batches_in_flight or 1)
            processes.serve_in_workers(listeners, workers=workers, environment=shared.environment())


@contextmanager
def prepare_server(settings: Settings, place: DatabaseAddress) -> Iterator[tuple[Settings, list[socket.socket]]]:
    """Lock the file and listen; gives the sockets, and the settings with the bound port and the operator's token."""
    with ExitStack() as stack:
        if isinstance(place, SQLiteFile):
            _lock_file(stack, place)
        listeners = stack.enter_context(sockets.listen(settings.host, settings.port))
        ready = msgspec.structs.replace(settings, port=sockets.port_of(listeners), local_operator_token="")
        if isinstance(place, SQLiteFile):
            ready = msgspec.structs.replace(ready, local_operator_token=secrets.token_urlsafe(32))
            _announce(stack, place, ready, listeners)
        yield ready, listeners


def read_current_catalog(settings: Settings) -> PricedBy:
    """Open the database once, so that its problems show before the start, and return the catalog in force."""
    with databases.explain_unavailability(settings):
        ledger = open_ledger(settings)
        try:
            ledger.open()
            in_force = ledger.read_and_wait(catalogs.find_current)
        finally:
            ledger.close()
    if in_force is None:
        raise CommandRefusedError("The database has no catalog. Run: sixpence catalog apply.")
    return in_force


def _prepare_place(settings: Settings, workers: int) -> DatabaseAddress:
    if isinstance(parse_database_url(settings.database), SQLiteFile) and workers > 1:
        raise CommandRefusedError(
            f"workers: {workers} processes cannot share a SQLite file, which has one writer. "
            "Use --workers 1, or name a PostgreSQL database with --database."
        )
    return databases.prepare_place(settings)


def _lock_file(stack: ExitStack, place: SQLiteFile) -> None:
    try:
        stack.enter_context(file_lock.lock_file(place, wait_seconds=TAKE_OVER_SECONDS))
    except file_lock.FileLockedError as error:
        raise CommandRefusedError(
            f"database: process {error.pid} already serves {place.path}, and a SQLite file has one server. "
            "An app's own workers may share the file through the library. "
            f"Stop that server (kill {error.pid}), or name another file or a PostgreSQL database with --database."
        ) from error


def _announce(stack: ExitStack, place: SQLiteFile, settings: Settings, listeners: list[socket.socket]) -> None:
    address = sockets.loopback_url(listeners)
    if address is None:
        # The token never leaves this machine, also when the server listens on no loopback address.
        listeners += stack.enter_context(sockets.listen(sockets.LOOPBACK, 0))
        address = sockets.loopback_url(listeners[-1:])
    assert address is not None
    server = file_lock.RunningServer(pid=os.getpid(), address=address, token=settings.local_operator_token)
    stack.enter_context(file_lock.announce_server(place, server))

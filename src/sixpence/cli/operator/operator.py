"""Asking as the local operator: the server that holds the SQLite file, or the same application in this process.

Either way it is the HTTP API's administration that answers, so each operation is written once. PostgreSQL is shared, so
there a command needs no server.
"""

import asyncio
import secrets
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection, HTTPException
from typing import Any, Protocol
from urllib.parse import urlsplit

import msgspec

from sixpence.cli.operator import file_lock, in_process
from sixpence.cli.terminal import database as databases
from sixpence.cli.terminal.errors import CommandRefusedError
from sixpence.ledger.database.engines import SQLiteFile
from sixpence.settings import Settings

ANSWER_SECONDS_MAX = 30.0
# A server that starts or stops, or another command, holds the file for a moment without answering.
SETTLE_SECONDS = 5.0


class Administration(Protocol):
    """What carries a question to the administration."""

    def send(self, method: str, path: str, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
        """The status and body of the answer."""
        ...


class Operator:
    """The local operator, who asks the administration."""

    def __init__(self, administration: Administration, token: str) -> None:
        self._administration = administration
        self._token = token

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None, *, key: str | None = None) -> Any:
        """The document of the answer; raises `CommandRefusedError` with the words of the refusal."""
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        if key is not None:
            # HTTP's headers hold no more than this; any other key would be refused there.
            if not (key.isascii() and key.isprintable()):
                raise CommandRefusedError(f"key: {key!r:.60} has other characters than ASCII. Choose a plainer one.")
            headers["Idempotency-Key"] = key
        again = "" if key is None else f" Run it again with --key {key}: it is done once."
        sent = b"" if body is None else msgspec.json.encode(body)
        try:
            status, answer = self._administration.send(method, path, headers, sent)
            document = msgspec.json.decode(answer)
        except (OSError, HTTPException, msgspec.DecodeError) as error:
            problem = f"The running server did not answer ({error}), so it may or may not have done this."
            raise CommandRefusedError(f"{problem}{again or ' Look, and run it again if it has not.'}") from error
        if status >= 400:
            raise CommandRefusedError(f"{document['detail']}{again if status == 503 else ''}")
        return document

    def read(self, path: str) -> str:
        """The text of an answer that is no document; raises as `ask` does."""
        headers = {"Authorization": f"Bearer {self._token}"}
        try:
            status, answer = self._administration.send("GET", path, headers, b"")
        except (OSError, HTTPException) as error:
            raise CommandRefusedError(f"The running server did not answer ({error}). Run it again.") from error
        if status >= 400:
            raise CommandRefusedError(msgspec.json.decode(answer)["detail"])
        return answer.decode()


@contextmanager
def local_operator(settings: Settings, *, answer_seconds_max: float = ANSWER_SECONDS_MAX) -> Iterator[Operator]:
    """The operator at this machine, with whatever must be open for as long as it is asked."""
    place = databases.prepared_place(settings)
    with ExitStack() as stack:
        server = _reached(stack, place) if isinstance(place, SQLiteFile) else None
        if server is not None:
            yield Operator(_RunningServer(server, answer_seconds_max), server.token)
        else:
            own = msgspec.structs.replace(
                settings, local_operator_token=secrets.token_urlsafe(32), secret=secrets.token_urlsafe(32)
            )
            yield Operator(stack.enter_context(_this_process(own)), own.local_operator_token)


class _RunningServer:
    """The server that holds the file, over loopback and past every proxy."""

    def __init__(self, server: file_lock.RunningServer, answer_seconds_max: float) -> None:
        self._address = urlsplit(server.address)
        self._answer_seconds_max = answer_seconds_max

    def send(self, method: str, path: str, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
        """Ask over a connection of its own."""
        connection = HTTPConnection(self._address.hostname or "", self._address.port, timeout=self._answer_seconds_max)
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()


class _ThisProcess:
    """The application itself."""

    def __init__(self, app: Any) -> None:
        self._app = app

    def send(self, method: str, path: str, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
        """Ask in an event loop of its own."""
        return asyncio.run(in_process.ask(self._app, method, path, headers, body))


@contextmanager
def _this_process(settings: Settings) -> Iterator[Administration]:
    # A command that goes through a server starts without all of this.
    from sixpence.cli.terminal.logs import silence_logs
    from sixpence.wiring import app_of, wire

    silence_logs()
    with databases.told_in_words(settings):
        parts = wire(settings)
        try:
            parts.ledger.open()
            yield _ThisProcess(app_of(parts))
        finally:
            parts.ledger.close()


def _reached(stack: ExitStack, place: SQLiteFile) -> file_lock.RunningServer | None:
    """The server that holds the file; None when this process holds it now."""
    deadline = time.monotonic() + SETTLE_SECONDS
    while True:
        try:
            stack.enter_context(file_lock.held(place, wait_seconds=0))
        except file_lock.HeldError as error:
            server = file_lock.find_server(place, pid=error.pid)
            if server is not None and _listens(server):
                return server
            if time.monotonic() >= deadline:
                problem = f"database: process {error.pid} holds {place.path} and does not answer."
                raise CommandRefusedError(f"{problem} Wait for it, or end it: kill {error.pid}.") from error
            time.sleep(file_lock.LOOK_AGAIN_SECONDS)
        else:
            return None


def _listens(server: file_lock.RunningServer) -> bool:
    at = urlsplit(server.address)
    try:
        socket.create_connection((at.hostname or "", at.port or 0), timeout=1).close()
    except OSError:
        return False
    return True

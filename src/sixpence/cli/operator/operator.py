"""Requests as the local operator: to the server on the SQLite file, or to the same application in this process.

Either way the administration endpoints of the HTTP API answer, so each operation is written once. PostgreSQL is shared,
so a command on it needs no server.
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
# A server that starts or stops, or another command, has the lock for a moment without answering.
SETTLE_SECONDS = 5.0


class Transport(Protocol):
    """Carries a request to the administration endpoints."""

    def send(self, method: str, path: str, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
        """Send a request and return the status and the body of the response."""
        ...


class Operator:
    """The local operator, authorized by a token that only this machine knows."""

    def __init__(self, transport: Transport, token: str) -> None:
        self._transport = transport
        self._token = token

    def request(self, method: str, path: str, body: dict[str, Any] | None = None, *, key: str | None = None) -> Any:
        """Return the JSON document of the response; raises `CommandRefusedError` with the text of a refusal."""
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        if key is not None:
            # HTTP's headers carry printable ASCII only.
            if not (key.isascii() and key.isprintable()):
                raise CommandRefusedError(f"key: {key!r:.60} has characters beyond printable ASCII. Choose another.")
            headers["Idempotency-Key"] = key
        retry_hint = "" if key is None else f" Run it again with --key {key}: the change is made only once."
        sent = b"" if body is None else msgspec.json.encode(body)
        try:
            status, answer = self._transport.send(method, path, headers, sent)
            document = msgspec.json.decode(answer)
        except (OSError, HTTPException, msgspec.DecodeError) as error:
            problem = f"The running server did not answer ({error}), so it is unknown whether the change was made."
            hint = retry_hint or " Check, and run the command again if it was not."
            raise CommandRefusedError(f"{problem}{hint}") from error
        if status >= 400:
            raise CommandRefusedError(f"{document['detail']}{retry_hint if status == 503 else ''}")
        return document

    def request_text(self, path: str) -> str:
        """Return the text of a response that is not JSON; raises as `request` does."""
        headers = {"Authorization": f"Bearer {self._token}"}
        try:
            status, answer = self._transport.send("GET", path, headers, b"")
        except (OSError, HTTPException) as error:
            raise CommandRefusedError(f"The running server did not answer ({error}). Run it again.") from error
        if status >= 400:
            raise CommandRefusedError(msgspec.json.decode(answer)["detail"])
        return answer.decode()


@contextmanager
def local_operator(settings: Settings, *, answer_seconds_max: float = ANSWER_SECONDS_MAX) -> Iterator[Operator]:
    """The operator at this machine; the server's connection or the ledger stays open inside the context."""
    place = databases.prepare_place(settings)
    with ExitStack() as stack:
        server = _find_running_server(stack, place) if isinstance(place, SQLiteFile) else None
        if server is not None:
            yield Operator(_HttpTransport(server, answer_seconds_max), server.token)
        else:
            own = msgspec.structs.replace(
                settings, local_operator_token=secrets.token_urlsafe(32), secret=secrets.token_urlsafe(32)
            )
            yield Operator(stack.enter_context(_open_in_process(own)), own.local_operator_token)


class _HttpTransport:
    """Requests to the server on the file, over loopback and past every proxy."""

    def __init__(self, server: file_lock.RunningServer, answer_seconds_max: float) -> None:
        self._address = urlsplit(server.address)
        self._answer_seconds_max = answer_seconds_max

    def send(self, method: str, path: str, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
        """Send a request over a new connection."""
        connection = HTTPConnection(self._address.hostname or "", self._address.port, timeout=self._answer_seconds_max)
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()


class _InProcessTransport:
    """Requests to the application in this process."""

    def __init__(self, app: Any) -> None:
        self._app = app

    def send(self, method: str, path: str, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
        """Send a request in a new event loop."""
        return asyncio.run(in_process.send_request(self._app, method, path, headers, body))


@contextmanager
def _open_in_process(settings: Settings) -> Iterator[Transport]:
    # Imported here: a command that reaches a server starts faster without them.
    from sixpence.cli.terminal.logs import silence_logs
    from sixpence.wiring import app_of, wire

    silence_logs()
    with databases.explain_unavailability(settings):
        parts = wire(settings)
        try:
            parts.ledger.open()
            yield _InProcessTransport(app_of(parts))
        finally:
            parts.ledger.close()


def _find_running_server(stack: ExitStack, place: SQLiteFile) -> file_lock.RunningServer | None:
    """The server on the file; None when none runs, and then this process has the lock until the stack closes."""
    deadline = time.monotonic() + SETTLE_SECONDS
    while True:
        try:
            stack.enter_context(file_lock.lock_file(place, wait_seconds=0))
        except file_lock.FileLockedError as error:
            server = file_lock.find_server(place, pid=error.pid)
            if server is not None and _is_listening(server):
                return server
            if time.monotonic() >= deadline:
                problem = f"database: process {error.pid} has locked {place.path} and does not answer."
                raise CommandRefusedError(f"{problem} Wait for it, or stop it: kill {error.pid}.") from error
            time.sleep(file_lock.RETRY_SECONDS)
        else:
            return None


def _is_listening(server: file_lock.RunningServer) -> bool:
    address = urlsplit(server.address)
    try:
        socket.create_connection((address.hostname or "", address.port or 0), timeout=1).close()
    except OSError:
        return False
    return True

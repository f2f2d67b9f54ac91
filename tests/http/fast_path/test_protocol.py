"""Requests on their direct way, byte for byte over a real connection: what HTTP asks for holds there, too."""

import json
import os
import signal
import socket
import sqlite3
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest

from tests.support.server import ServerProcess, running_server

BODY = b'{"feature":"interior"}'
# So many pages of history are more than the sockets of both sides hold.
PAGES = 120


class Door:
    """A server with an account that can pay, and ways to send it bytes."""

    def __init__(self, server: ServerProcess) -> None:
        self.server = server
        self.key = server.create_key()
        assert self.ask(self.post(b"/v1/accounts", b'{"account_id":"ada"}')) == (201, 6)
        self.ask(self.post(b"/v1/accounts/ada/grants", b'{"amount":1000,"reason":"tests"}'))

    def connect(self) -> socket.socket:
        """A connection of its own."""
        return socket.create_connection(("127.0.0.1", self.server.port), timeout=10)

    def post(self, path: bytes, body: bytes = BODY, *lines: bytes, version: bytes = b"1.1") -> bytes:
        """The bytes of a request."""
        head = [b"POST %s HTTP/%s" % (path, version), b"Host: x", b"Authorization: Bearer " + self.key.encode()]
        return b"\r\n".join([*head, b"Content-Length: %d" % len(body), *lines, b"", body])

    def get(self, path: bytes) -> bytes:
        """The bytes of a request that reads."""
        return b"GET %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n\r\n" % (path, self.key.encode())

    def use(self, *lines: bytes, version: bytes = b"1.1") -> bytes:
        """The bytes of a use of one credit."""
        return self.post(b"/v1/accounts/ada/consume", BODY, *lines, version=version)

    def ask(self, request: bytes) -> tuple[int, Any]:
        """The status of the one answer, and the balance in it."""
        with self.connect() as connection:
            connection.sendall(request)
            head, body = answer_on(connection)
        return status_of(head), body.get("remaining")


def answer_on(connection: socket.socket) -> tuple[bytes, Any]:
    """The head and the JSON body of the next answer; takes no byte of the one behind it."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        byte = connection.recv(1)
        if not byte:
            raise EOFError(head)
        head += byte
    size = int(next(line for line in head.split(b"\r\n") if line.startswith(b"content-length")).split(b":")[1])
    body = b""
    while len(body) < size:
        body += connection.recv(size - len(body))
    return head, json.loads(body)


def status_of(head: bytes) -> int:
    """The status of an answer's head."""
    return int(head.split(b" ")[1])


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    """A server on a SQLite file, this module's."""
    home: Path = tmp_path_factory.mktemp("home")
    with running_server(None, home) as running:
        yield Door(running)


def test_it_answers_as_the_long_way_does(door: Door) -> None:
    """A replay by the long way (a query is none of the direct one's) has the same body and the same headers."""
    with door.connect() as connection:
        connection.sendall(door.use(b"Idempotency-Key: same"))
        direct = answer_on(connection)
        connection.sendall(door.use(b"Idempotency-Key: same", b"Origin: https://app.example.com"))
        long = answer_on(connection)

    names = [{line.split(b":")[0] for line in head.split(b"\r\n")[1:]} for head, _ in (direct, long)]
    assert (direct[1], names[1] - names[0], names[0] - names[1]) == (long[1], {b"idempotency-replayed"}, set())


def test_requests_that_come_together_are_answered_in_order(door: Door) -> None:
    """Of requests sent without waiting for answers the first is answered first, whichever way each goes."""
    with door.connect() as connection:
        live = b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"
        connection.sendall(door.use() + door.use() + live + door.use())
        answers = [answer_on(connection) for _ in range(4)]

    left = [body.get("remaining") for _, body in answers]
    assert [status_of(head) for head, _ in answers] == [200] * 4
    assert left == [left[0], left[0] - 1, None, left[0] - 2]


def test_a_request_in_pieces(door: Door) -> None:
    """A request arrives byte by byte and is one request."""
    with door.connect() as connection:
        for byte in door.use():
            connection.sendall(bytes((byte,)))
        head, _ = answer_on(connection)

    assert status_of(head) == 200


@pytest.mark.parametrize(
    ("lines", "version"), [((b"Connection: close",), b"1.1"), ((), b"1.0"), ((b"Connection: close",), b"1.0")]
)
def test_a_connection_that_is_not_kept(door: Door, lines: tuple[bytes, ...], version: bytes) -> None:
    """Whoever wants the connection closed is told so, and it is."""
    with door.connect() as connection:
        connection.sendall(door.use(*lines, version=version))
        head, _ = answer_on(connection)
        ended = connection.recv(1)

    assert (status_of(head), b"connection: close" in head, ended) == (200, True, b"")


def test_a_body_in_chunks(door: Door) -> None:
    """A body of unknown length goes the long way and is read."""
    chunked = door.use().replace(b"Content-Length: %d" % len(BODY), b"Transfer-Encoding: chunked")
    chunked = chunked.replace(BODY, b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY))

    status, _ = door.ask(chunked)

    assert status == 200


def test_a_client_that_asks_first(door: Door) -> None:
    """Whoever waits for a go-ahead before the body gets one."""
    request = door.use(b"Expect: 100-continue")
    with door.connect() as connection:
        connection.sendall(request.removesuffix(BODY))
        assert connection.recv(25) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(BODY)
        head, _ = answer_on(connection)

    assert status_of(head) == 200


def test_a_path_with_more_than_a_path(door: Door) -> None:
    """What stands behind a hash is no part of an id, and a query is read where there is one."""
    fragment = door.ask(door.post(b"/v1/accounts/ada/consume#x"))
    query = door.ask(door.post(b"/v1/accounts/ada/consume?x=1"))
    unknown = door.ask(door.post(b"/v1/accounts/ada/consumed"))

    assert (fragment[0], query[0], unknown[0]) == (200, 200, 404)


@pytest.mark.parametrize("behind", [b"GARBAGE\r\n\r\n", b"XXXX", b"POST /v1/accounts/ada/consume HTTP/9.9\r\n\r\n"])
def test_what_is_broken_behind_a_request(door: Door, behind: bytes) -> None:
    """Its refusal never stands in the place of the answer to a request that was done before it."""
    before = door.ask(door.use())[1]
    with door.connect() as connection:
        connection.sendall(door.use() + behind)
        answer = b""
        while received := connection.recv(65536):
            answer += received

    assert (answer == b"" or status_of(answer) == 200, _settled(door, before - 2)) == (True, before - 2)


def test_a_client_that_goes_away(door: Door) -> None:
    """What was asked is done, nobody hears of it, and the server goes on without a word of an error."""
    before = door.ask(door.use())[1]
    logged = len(door.server.log)
    for _ in range(20):
        with door.connect() as connection:
            connection.sendall(door.use())
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")

    after = _settled(door, before - 21)

    assert (after, door.server.log[logged:]) == (before - 21, "")


def _settled(door: Door, wanted: int) -> int:
    """The balance once nothing is under way any more."""
    get = b"GET /v1/accounts/ada HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + door.key.encode() + b"\r\n\r\n"
    until = time.monotonic() + 10
    while True:
        left = int(door.ask(get)[1])
        if left == wanted + 1:
            return int(door.ask(door.use())[1])
        if time.monotonic() > until:
            return left
        time.sleep(0.05)


def test_a_server_that_stops_answers_first(tmp_path: Path) -> None:
    """A stop while requests wait for the database: each is answered, and its connection closed."""
    with running_server(None, tmp_path) as server, ExitStack() as stack:
        door = Door(server)
        connections = [stack.enter_context(door.connect()) for _ in range(30)]
        with closing(sqlite3.connect(tmp_path / "credits.db")) as elsewhere:
            elsewhere.execute("BEGIN IMMEDIATE")
            for connection in connections:
                connection.sendall(door.use())
            time.sleep(0.5)
            os.kill(server.pid, signal.SIGTERM)
            time.sleep(0.2)
        answers = [answer_on(connection)[0] for connection in connections]
        server.stop()

    assert [status_of(head) for head in answers] == [200] * 30
    assert [b"connection: close" in head for head in answers] == [True] * 30
    assert server.log.count("Traceback") == 0


def test_whoever_reads_no_answers_is_not_served_for_ever(door: Door) -> None:
    """A client that leaves its answers unread has them kept for it up to a bound, and the rest of its requests wait."""
    page = door.get(b"/v1/accounts/ada/transactions")
    long = b'{"feature":"interior","metadata":{"prompt":"%s"}}' % (b"x" * 4_000)
    for _ in range(20):
        door.ask(door.post(b"/v1/accounts/ada/consume", long))
    _, before = door.ask(door.get(b"/v1/accounts/ada"))
    with socket.socket() as silent:
        silent.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        silent.connect(("127.0.0.1", door.server.port))
        for _ in range(PAGES):
            silent.sendall(page)
            time.sleep(0.03)
        for _ in range(3):
            silent.sendall(door.use())
            time.sleep(0.05)
        time.sleep(0.5)
        _, meanwhile = door.ask(door.get(b"/v1/accounts/ada"))
        silent.settimeout(30)
        answers = [status_of(answer_on(silent)[0]) for _ in range(PAGES + 3)]
    _, after = door.ask(door.get(b"/v1/accounts/ada"))

    assert before - meanwhile < 3
    assert (answers, before - after) == ([200] * (PAGES + 3), 3)

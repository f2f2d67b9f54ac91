"""The fast path over a real connection, byte for byte: it keeps the rules of HTTP/1.1."""

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
# More pages of history than the socket buffers of both sides hold.
PAGES = 120


class RawClient:
    """Sends bytes to a server; its account `ada` has a thousand credits."""

    def __init__(self, server: ServerProcess) -> None:
        self.server = server
        self.key = server.create_key()
        assert self.request(self.post_bytes(b"/v1/accounts", b'{"account_id":"ada"}')) == (201, 6)
        self.request(self.post_bytes(b"/v1/accounts/ada/grants", b'{"amount":1000,"reason":"tests"}'))

    def connect(self) -> socket.socket:
        """A new connection."""
        return socket.create_connection(("127.0.0.1", self.server.port), timeout=10)

    def post_bytes(self, path: bytes, body: bytes = BODY, *lines: bytes, version: bytes = b"1.1") -> bytes:
        """The bytes of a POST."""
        head = [b"POST %s HTTP/%s" % (path, version), b"Host: x", b"Authorization: Bearer " + self.key.encode()]
        return b"\r\n".join([*head, b"Content-Length: %d" % len(body), *lines, b"", body])

    def get_bytes(self, path: bytes) -> bytes:
        """The bytes of a GET."""
        return b"GET %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n\r\n" % (path, self.key.encode())

    def consume_bytes(self, *lines: bytes, version: bytes = b"1.1") -> bytes:
        """The bytes of a request that consumes one credit."""
        return self.post_bytes(b"/v1/accounts/ada/consume", BODY, *lines, version=version)

    def request(self, sent: bytes) -> tuple[int, Any]:
        """Send a request on a new connection; returns the status and the balance of its answer."""
        with self.connect() as connection:
            connection.sendall(sent)
            head, body = read_answer(connection)
        return status_of(head), body.get("remaining")


def read_answer(connection: socket.socket) -> tuple[bytes, Any]:
    """The head and the JSON body of the next answer; reads no byte of the answer after it."""
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
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RawClient]:
    """A client of a server over a SQLite file, one for the module."""
    home: Path = tmp_path_factory.mktemp("home")
    with running_server(None, home) as running:
        yield RawClient(running)


def test_fast_path_answers_as_asgi_does(client: RawClient) -> None:
    """A replay through ASGI (a request with an Origin is not plain) has the same body and headers."""
    with client.connect() as connection:
        connection.sendall(client.consume_bytes(b"Idempotency-Key: same"))
        fast = read_answer(connection)
        connection.sendall(client.consume_bytes(b"Idempotency-Key: same", b"Origin: https://app.example.com"))
        through_asgi = read_answer(connection)

    names = [{line.split(b":")[0] for line in head.split(b"\r\n")[1:]} for head, _ in (fast, through_asgi)]
    assert (fast[1], names[1] - names[0], names[0] - names[1]) == (through_asgi[1], {b"idempotency-replayed"}, set())


def test_pipelined_requests_are_answered_in_order(client: RawClient) -> None:
    """Pipelined requests are answered in their order, on the fast path and through ASGI."""
    with client.connect() as connection:
        live = b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"
        connection.sendall(client.consume_bytes() + client.consume_bytes() + live + client.consume_bytes())
        answers = [read_answer(connection) for _ in range(4)]

    left = [body.get("remaining") for _, body in answers]
    assert [status_of(head) for head, _ in answers] == [200] * 4
    assert left == [left[0], left[0] - 1, None, left[0] - 2]


def test_request_that_arrives_byte_by_byte(client: RawClient) -> None:
    """A request may arrive in pieces of one byte."""
    with client.connect() as connection:
        for byte in client.consume_bytes():
            connection.sendall(bytes((byte,)))
        head, _ = read_answer(connection)

    assert status_of(head) == 200


@pytest.mark.parametrize(
    ("lines", "version"), [((b"Connection: close",), b"1.1"), ((), b"1.0"), ((b"Connection: close",), b"1.0")]
)
def test_connection_is_closed_on_request(client: RawClient, lines: tuple[bytes, ...], version: bytes) -> None:
    """With `Connection: close`, or HTTP/1.0, the answer has the header and the server closes the connection."""
    with client.connect() as connection:
        connection.sendall(client.consume_bytes(*lines, version=version))
        head, _ = read_answer(connection)
        ended = connection.recv(1)

    assert (status_of(head), b"connection: close" in head, ended) == (200, True, b"")


def test_chunked_body(client: RawClient) -> None:
    """A body of unknown length goes through ASGI and is read."""
    chunked = client.consume_bytes().replace(b"Content-Length: %d" % len(BODY), b"Transfer-Encoding: chunked")
    chunked = chunked.replace(BODY, b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY))

    status, _ = client.request(chunked)

    assert status == 200


def test_expect_100_continue(client: RawClient) -> None:
    """A client that waits for `100 Continue` before it sends the body gets it."""
    request = client.consume_bytes(b"Expect: 100-continue")
    with client.connect() as connection:
        connection.sendall(request.removesuffix(BODY))
        assert connection.recv(25) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(BODY)
        head, _ = read_answer(connection)

    assert status_of(head) == 200


def test_fragments_queries_and_unknown_paths(client: RawClient) -> None:
    """A fragment is not part of the path, and a query is allowed; an unknown path is 404."""
    fragment = client.request(client.post_bytes(b"/v1/accounts/ada/consume#x"))
    query = client.request(client.post_bytes(b"/v1/accounts/ada/consume?x=1"))
    unknown = client.request(client.post_bytes(b"/v1/accounts/ada/consumed"))

    assert (fragment[0], query[0], unknown[0]) == (200, 200, 404)


@pytest.mark.parametrize("after", [b"GARBAGE\r\n\r\n", b"XXXX", b"POST /v1/accounts/ada/consume HTTP/9.9\r\n\r\n"])
def test_malformed_bytes_after_a_request(client: RawClient, after: bytes) -> None:
    """Their refusal never replaces the answer to the accepted request before them."""
    before = client.request(client.consume_bytes())[1]
    with client.connect() as connection:
        connection.sendall(client.consume_bytes() + after)
        answer = b""
        while received := connection.recv(65536):
            answer += received

    assert (answer == b"" or status_of(answer) == 200, _wait_for_balance(client, before - 2)) == (True, before - 2)


def test_client_disconnects_before_the_answer(client: RawClient) -> None:
    """The request is run, its answer is discarded, and the server logs no error."""
    before = client.request(client.consume_bytes())[1]
    logged = len(client.server.log)
    for _ in range(20):
        with client.connect() as connection:
            connection.sendall(client.consume_bytes())
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")

    after = _wait_for_balance(client, before - 21)

    assert (after, client.server.log[logged:]) == (before - 21, "")


def _wait_for_balance(client: RawClient, expected: int) -> int:
    """The balance once no request is in flight."""
    get = client.get_bytes(b"/v1/accounts/ada")
    until = time.monotonic() + 10
    while True:
        left = int(client.request(get)[1])
        if left == expected + 1:
            return int(client.request(client.consume_bytes())[1])
        if time.monotonic() > until:
            return left
        time.sleep(0.05)


def test_shutdown_answers_requests_in_flight(tmp_path: Path) -> None:
    """The server shuts down while requests wait for the database: each is answered, and its connection closed."""
    with running_server(None, tmp_path) as server, ExitStack() as stack:
        client = RawClient(server)
        connections = [stack.enter_context(client.connect()) for _ in range(30)]
        with closing(sqlite3.connect(tmp_path / "credits.db")) as blocker:
            blocker.execute("BEGIN IMMEDIATE")
            for connection in connections:
                connection.sendall(client.consume_bytes())
            time.sleep(0.5)
            os.kill(server.pid, signal.SIGTERM)
            time.sleep(0.2)
        answers = [read_answer(connection)[0] for connection in connections]
        server.stop()

    assert [status_of(head) for head in answers] == [200] * 30
    assert [b"connection: close" in head for head in answers] == [True] * 30
    assert server.log.count("Traceback") == 0


def test_unread_answers_are_bounded(client: RawClient) -> None:
    """For a client that reads no answers the server buffers a bounded number; its further requests wait."""
    page = client.get_bytes(b"/v1/accounts/ada/transactions")
    long = b'{"feature":"interior","metadata":{"prompt":"%s"}}' % (b"x" * 4_000)
    for _ in range(20):
        client.request(client.post_bytes(b"/v1/accounts/ada/consume", long))
    _, before = client.request(client.get_bytes(b"/v1/accounts/ada"))
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        connection.connect(("127.0.0.1", client.server.port))
        for _ in range(PAGES):
            connection.sendall(page)
            time.sleep(0.03)
        for _ in range(3):
            connection.sendall(client.consume_bytes())
            time.sleep(0.05)
        time.sleep(0.5)
        _, meanwhile = client.request(client.get_bytes(b"/v1/accounts/ada"))
        connection.settimeout(30)
        answers = [status_of(read_answer(connection)[0]) for _ in range(PAGES + 3)]
    _, after = client.request(client.get_bytes(b"/v1/accounts/ada"))

    assert before - meanwhile < 3
    assert (answers, before - after) == ([200] * (PAGES + 3), 3)

"""Changes that a real server refuses unread while it has more to do than it gets done, byte for byte."""

import socket
import sqlite3
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from sixpence.ledger.writer.throughput import FEW
from tests.http.fast_path.test_protocol import BODY, Door, answer_on, status_of
from tests.ledger.databases import consumed, proved
from tests.support.server import running_server

CROWD = FEW + 50


class Full:
    """A server whose writer waits for its file, with a crowd of requests before it."""

    def __init__(self, door: Door, stack: ExitStack) -> None:
        self.door = door
        self.crowd = [stack.enter_context(door.connect()) for _ in range(CROWD)]

    def ask(self, *requests: bytes) -> list[int]:
        """The statuses of the answers to these requests, which arrive as they are on one connection."""
        with self.door.connect() as connection:
            for request in requests:
                connection.sendall(request)
                time.sleep(0.05)
            return [status_of(answer_on(connection)[0]) for _ in range(sum(map(_count, requests)))]


def _count(request: bytes) -> int:
    return request.count(b" HTTP/1.")


@pytest.fixture
def full(tmp_path: Path) -> Iterator[Full]:
    """Everybody who comes now would wait too long; at the end each of the crowd has had an answer, and all adds up."""
    path = tmp_path / "credits.db"
    with ExitStack() as stack:
        server = stack.enter_context(running_server(None, tmp_path, env={"SIXPENCE_QUEUE_SECONDS_MAX": "0.01"}))
        full = Full(Door(server), stack)
        early = _answers(full.crowd, full.door.use())  # from these it is known how fast it goes
        with closing(sqlite3.connect(path)) as elsewhere:
            elsewhere.execute("BEGIN IMMEDIATE")
            _send(full.crowd, full.door.use())
            time.sleep(0.5)
            yield full
        early += [status_of(answer_on(connection)[0]) for connection in full.crowd]
    assert set(early) <= {200, 503}
    assert consumed(f"sqlite:///{path}", "ada") == early.count(200)
    proved(f"sqlite:///{path}")


def _send(connections: list[socket.socket], request: bytes) -> None:
    for connection in connections:
        connection.sendall(request)


def _answers(connections: list[socket.socket], request: bytes) -> list[int]:
    _send(connections, request)
    return [status_of(answer_on(connection)[0]) for connection in connections]


def test_whoever_asks_again_is_refused_again(full: Full) -> None:
    """The connection stays, and each request on it has its answer."""
    use = full.door.use()

    assert full.ask(use, use, use) == [503, 503, 503]


def test_the_refusal_is_the_one_of_every_way(full: Full) -> None:
    """Refused unread or read, a request has the same answer."""
    with full.door.connect() as connection:
        connection.sendall(full.door.use())
        unread = answer_on(connection)
        connection.sendall(full.door.use(b"Origin: https://app.example.com"))
        read = answer_on(connection)

    assert (status_of(unread[0]), unread[1]["code"], b"retry-after: 1" in unread[0]) == (503, "overloaded", True)
    assert (status_of(read[0]), read[1]) == (503, unread[1])


def test_requests_that_are_not_whole_and_alone(full: Full) -> None:
    """Pieces, two at once, a closed connection and an older version are read by the parser, and refused behind it."""
    use, closing_use = full.door.use(), full.door.use(b"Connection: close")

    assert full.ask(use[:40], use[40:-3], use[-3:]) == [503]
    assert full.ask(use + use) == [503, 503]
    assert full.ask(closing_use) == [503]
    assert full.ask(full.door.use(version=b"1.0")) == [503]


def test_what_only_looks_like_a_change(full: Full) -> None:
    """A body of another size than said is no request that could be refused unread."""
    short = full.door.use().replace(b"Content-Length: %d" % len(BODY), b"Content-Length: %d" % (len(BODY) + 2))

    assert full.ask(short, b"  ") == [503]


def test_reads_go_on(full: Full) -> None:
    """Whoever only looks is served, on a connection that was refused before, too."""
    get = b"GET /v1/accounts/ada HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + full.door.key.encode() + b"\r\n\r\n"

    assert full.ask(full.door.use(), get, full.door.use(), get) == [503, 200, 503, 200]


def test_so_many_are_worked_on_at_once(tmp_path: Path) -> None:
    """Beyond the number that a setting says whoever comes is refused, and those who came before are served."""
    with running_server(None, tmp_path, env={"SIXPENCE_UNDER_WAY_MAX": "3"}) as server, ExitStack() as stack:
        door = Door(server)
        early, late = ([stack.enter_context(door.connect()) for _ in range(count)] for count in (3, 5))
        with closing(sqlite3.connect(tmp_path / "credits.db")) as elsewhere:
            elsewhere.execute("BEGIN IMMEDIATE")
            _send(early, door.use())
            time.sleep(0.5)
            refused = _answers(late, door.use())
        served = [status_of(answer_on(connection)[0]) for connection in early]

    assert (served, refused) == ([200] * 3, [503] * 5)

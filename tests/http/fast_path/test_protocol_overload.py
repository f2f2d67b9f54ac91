"""Overload over real connections, byte for byte: the server refuses changes before it parses them."""

import socket
import sqlite3
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from sixpence.ledger.writer.throughput import ESTIMATE_COUNT_MIN
from tests.http.fast_path.test_protocol import BODY, RawClient, read_answer, status_of
from tests.ledger.databases import count_uses, verify_clean
from tests.support.server import running_server

WAITING = ESTIMATE_COUNT_MIN + 50


class OverloadedServer:
    """An overloaded server: its writer waits for the database, and many requests wait for the writer."""

    def __init__(self, client: RawClient, stack: ExitStack) -> None:
        self.client = client
        self.waiting = [stack.enter_context(client.connect()) for _ in range(WAITING)]

    def request(self, *requests: bytes) -> list[int]:
        """Send these bytes one after another on one connection; returns the statuses of the answers."""
        with self.client.connect() as connection:
            for request in requests:
                connection.sendall(request)
                time.sleep(0.05)
            return [status_of(read_answer(connection)[0]) for _ in range(sum(map(_count, requests)))]


def _count(request: bytes) -> int:
    return request.count(b" HTTP/1.")


@pytest.fixture
def overloaded(tmp_path: Path) -> Iterator[OverloadedServer]:
    """An overloaded server. At the end every waiting request was answered, and the ledger has the accepted ones."""
    path = tmp_path / "credits.db"
    with ExitStack() as stack:
        server = stack.enter_context(running_server(None, tmp_path, env={"SIXPENCE_QUEUE_SECONDS_MAX": "0.01"}))
        overloaded = OverloadedServer(RawClient(server), stack)
        # These give the server its estimate of the throughput.
        statuses = _answers(overloaded.waiting, overloaded.client.consume_bytes())
        with closing(sqlite3.connect(path)) as blocker:
            blocker.execute("BEGIN IMMEDIATE")
            _send(overloaded.waiting, overloaded.client.consume_bytes())
            time.sleep(0.5)
            yield overloaded
        statuses += [status_of(read_answer(connection)[0]) for connection in overloaded.waiting]
    assert set(statuses) <= {200, 503}
    assert count_uses(f"sqlite:///{path}", "ada") == statuses.count(200)
    verify_clean(f"sqlite:///{path}")


def _send(connections: list[socket.socket], request: bytes) -> None:
    for connection in connections:
        connection.sendall(request)


def _answers(connections: list[socket.socket], request: bytes) -> list[int]:
    _send(connections, request)
    return [status_of(read_answer(connection)[0]) for connection in connections]


def test_refused_client_may_retry_on_its_connection(overloaded: OverloadedServer) -> None:
    """The connection stays open, and each request on it is answered."""
    consume = overloaded.client.consume_bytes()

    assert overloaded.request(consume, consume, consume) == [503, 503, 503]


def test_refusal_before_parsing_equals_the_refusal_after_it(overloaded: OverloadedServer) -> None:
    """A request that is refused before parsing, and one that is refused after it, get the same answer."""
    with overloaded.client.connect() as connection:
        connection.sendall(overloaded.client.consume_bytes())
        unparsed = read_answer(connection)
        connection.sendall(overloaded.client.consume_bytes(b"Origin: https://app.example.com"))
        parsed = read_answer(connection)

    assert (status_of(unparsed[0]), unparsed[1]["code"], b"retry-after: 1" in unparsed[0]) == (503, "overloaded", True)
    assert (status_of(parsed[0]), parsed[1]) == (503, unparsed[1])


def test_pieces_pipelines_and_old_versions_are_refused(overloaded: OverloadedServer) -> None:
    """Pieces, pipelined requests, `Connection: close` and HTTP/1.0 are refused after parsing."""
    client = overloaded.client
    consume, consume_and_close = client.consume_bytes(), client.consume_bytes(b"Connection: close")

    assert overloaded.request(consume[:40], consume[40:-3], consume[-3:]) == [503]
    assert overloaded.request(consume + consume) == [503, 503]
    assert overloaded.request(consume_and_close) == [503]
    assert overloaded.request(client.consume_bytes(version=b"1.0")) == [503]


def test_body_shorter_than_its_content_length(overloaded: OverloadedServer) -> None:
    """A request whose body is incomplete is refused only once the rest has arrived."""
    whole = overloaded.client.consume_bytes()
    short = whole.replace(b"Content-Length: %d" % len(BODY), b"Content-Length: %d" % (len(BODY) + 2))

    assert overloaded.request(short, b"  ") == [503]


def test_reads_are_served_while_changes_are_refused(overloaded: OverloadedServer) -> None:
    """A read is served, also on a connection whose change was refused before."""
    client = overloaded.client
    consume, get = client.consume_bytes(), client.get_bytes(b"/v1/accounts/ada")

    assert overloaded.request(consume, get, consume, get) == [503, 200, 503, 200]


def test_under_way_max_bounds_changes_in_flight(tmp_path: Path) -> None:
    """Beyond the number in the setting, further changes are refused, and the accepted ones are served."""
    with running_server(None, tmp_path, env={"SIXPENCE_UNDER_WAY_MAX": "3"}) as server, ExitStack() as stack:
        client = RawClient(server)
        early, late = ([stack.enter_context(client.connect()) for _ in range(count)] for count in (3, 5))
        with closing(sqlite3.connect(tmp_path / "credits.db")) as blocker:
            blocker.execute("BEGIN IMMEDIATE")
            _send(early, client.consume_bytes())
            time.sleep(0.5)
            refused = _answers(late, client.consume_bytes())
        served = [status_of(read_answer(connection)[0]) for connection in early]

    assert (served, refused) == ([200] * 3, [503] * 5)

"""The limit on request heads: a longer one gets a 431, and other clients are served."""

import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.support.server import ServerProcess, running_server

HEAD = b"GET /livez HTTP/1.1\r\nHost: x\r\n"
KIB = 1024


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server on a SQLite file, which this module shares."""
    home: Path = tmp_path_factory.mktemp("home")
    with running_server(None, home) as running:
        yield running


def send_until_refused(server: ServerProcess, head: bytes, piece: bytes, *, pieces: int) -> bytes:
    """Send `piece` repeatedly until there is an answer, and return the whole answer."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(head)
        for _ in range(pieces):
            connection.sendall(piece)
            time.sleep(0.001)
            if _has_answer(connection):
                break
        answer = b""
        while received := connection.recv(65536):
            answer += received
        return answer


@pytest.mark.parametrize(
    ("head", "piece"),
    [
        (HEAD + b"X-Endless: ", b"a" * 8 * KIB),
        (HEAD + b"X-", b"a" * 8 * KIB),
        (HEAD, b"X-Many: aaaaaaaaaaaaaaaa\r\n" * 256),
        (b"GET /", b"a" * 8 * KIB),
        (HEAD + b"\r\n" + HEAD + b"X-Endless: ", b"a" * 8 * KIB),
        (b"POST /livez HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-Endless: ", b"a" * 8 * KIB),
    ],
    ids=["a value", "a name", "many headers", "a target", "after another request", "a trailer"],
)
def test_endless_head_gets_431(served: ServerProcess, head: bytes, piece: bytes) -> None:
    """After about 64 KiB there is a problem document, and the connection is closed."""
    answer = send_until_refused(served, head, piece, pieces=64)

    refusal = answer[answer.index(b"HTTP/1.1 431 ") :]
    headers, _, body = refusal.partition(b"\r\n\r\n")
    assert b"content-type: application/problem+json" in headers
    assert b"connection: close" in headers
    assert json.loads(body) == {
        "code": "request-header-fields-too-large",
        "title": "Request Header Fields Too Large",
        "detail": "The request line and headers are more than 65536 bytes. Send less, such as fewer cookies.",
        "status": 431,
        "type": "about:blank",
    }


def test_complete_head_over_limit_gets_431(served: ServerProcess) -> None:
    """Also when it arrives at once, with its end."""
    answer = send_until_refused(served, HEAD + b"X-Long: " + b"a" * 65 * KIB + b"\r\n\r\n", b"", pieces=0)

    assert answer.startswith(b"HTTP/1.1 431 ")


def test_other_requests_are_served_during_endless_head(served: ServerProcess) -> None:
    """One client keeps sending a header; another gets its answer."""
    with socket.create_connection(("127.0.0.1", served.port), timeout=10) as connection:
        connection.sendall(HEAD + b"X-Endless: " + b"a" * 128 * KIB)

        answer = httpx.get(f"{served.url}/livez", timeout=2)

    assert answer.status_code == 200


def test_head_below_limit_is_served(served: ServerProcess) -> None:
    """30 kB of headers are accepted."""
    answer = httpx.get(f"{served.url}/livez", headers={"X-Long": "a" * 30_000})

    assert answer.status_code == 200


def test_pipelined_requests_are_counted_separately(served: ServerProcess) -> None:
    """Four requests at once, each with a long head, are all answered, in order."""
    request = HEAD + b"X-Long: " + b"a" * 30_000 + b"\r\n"
    last = request + b"Connection: close\r\n\r\n"

    answer = send_until_refused(served, (request + b"\r\n") * 3 + last, b"", pieces=0)

    assert answer.count(b"HTTP/1.1 200 ") == 4


@pytest.mark.parametrize("chunked", [False, True], ids=["of a length", "chunked"])
def test_large_body_does_not_count_as_head(served: ServerProcess, chunked: bool) -> None:
    """A body of 512 kB is read, with a length and chunked."""
    key = served.create_key()
    body = b'{"account_id": "user_1"' + b" " * 512_000 + b"}"
    pieces = (body[start : start + 1000] for start in range(0, len(body), 1000))

    answer = httpx.post(
        f"{served.url}/v1/accounts",
        content=pieces if chunked else body,
        headers={"Authorization": f"Bearer {key}"},
    )

    assert answer.status_code in (200, 201)


def _has_answer(connection: socket.socket) -> bool:
    connection.setblocking(False)
    try:
        # The answer to an earlier request does not count.
        return b" 431 " in connection.recv(65536, socket.MSG_PEEK)
    except BlockingIOError:
        return False
    finally:
        connection.settimeout(10)

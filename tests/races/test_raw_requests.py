"""Requests that no HTTP client would send, byte for byte to a real server: a 4xx, and nothing else has happened."""

import json
from collections.abc import AsyncIterator

import pytest

from tests.ledger.databases import snapshot
from tests.races.served import Served
from tests.races.wire import Connection, Reply

pytestmark = pytest.mark.slow

USE = b'{"feature": "video"}'


@pytest.fixture
async def raw(served_by_sqlite: Served) -> AsyncIterator["Raw"]:
    """A way to send bytes; whatever the test sends, the database stays as it is and the log has no exception."""
    made = await served_by_sqlite.connect()
    assert (await made.ask("POST", "/v1/accounts", {"account_id": "zoë"})).status in (200, 201)
    await made.close()
    await served_by_sqlite.at_rest()
    before, logged = snapshot(served_by_sqlite.database_url), len(served_by_sqlite.servers[0].log)

    yield Raw(served_by_sqlite)

    lines = [json.loads(line) for line in served_by_sqlite.servers[0].log[logged:].splitlines()]
    assert [line for line in lines if line["level"] not in ("info", "warning") or "exception" in line] == []
    assert snapshot(served_by_sqlite.database_url) == before


class Raw:
    """Sends requests in bytes."""

    def __init__(self, served: Served) -> None:
        self._served = served

    async def send(self, method: bytes, path: bytes, *lines: bytes, body: bytes = b"", sized: bool = True) -> Reply:
        """The answer to a request with a key, these header lines and this body."""
        connection = await Connection.open(self._served.servers[0].url)
        head = [
            b"%s %s HTTP/1.1" % (method, path),
            b"host: 127.0.0.1",
            b"authorization: Bearer " + self._served.key.encode(),
        ]
        if sized:
            head.append(b"content-length: %d" % len(body))
        try:
            return await connection.send(b"\r\n".join([*head, *lines, b"", body]))
        finally:
            await connection.close()


@pytest.mark.parametrize("path", [b"/v1/accounts/a\xffb", b"/\xff", "/v1/accounts/zoë".encode()])
async def test_a_path_that_is_not_ascii(raw: Raw, path: bytes) -> None:
    """Bytes that no URL may hold are refused by the server in front, before they mean an account."""
    answer = await raw.send(b"GET", path)

    assert (answer.status, answer.content) == (400, b"Invalid HTTP request received.")


@pytest.mark.parametrize(
    ("path", "status"), [(b"a%ff", 422), (b"a%ff%", 422), (b"a%", 404), (b"%zz", 404), (b"%ED%A0%80", 422)]
)
async def test_a_path_that_is_badly_encoded(raw: Raw, path: bytes, status: int) -> None:
    """An incomplete percent encoding is taken literally; invalid UTF-8 is refused with a message."""
    answer = await raw.send(b"GET", b"/v1/accounts/" + path)

    assert answer.status == status


@pytest.mark.parametrize("dots", [b"..", b".", b"%2e%2e", b"..%2F..", b"../../livez"])
async def test_dots_in_a_path(raw: Raw, dots: bytes) -> None:
    """Dots are ordinary ids, and never change the path."""
    answer = await raw.send(b"GET", b"/v1/accounts/" + dots)

    assert (answer.status, answer.json()["code"]) in ((404, "account-not-found"), (404, "not-found"))


async def test_a_body_in_chunks_over_the_limit(raw: Raw) -> None:
    """A chunked body is cut at the limit."""
    chunk = b"10000\r\n" + b" " * 65_536 + b"\r\n"

    answer = await raw.send(
        b"POST",
        b"/v1/accounts/zo%C3%AB/consume",
        b"transfer-encoding: chunked",
        body=chunk * 40 + b"0\r\n\r\n",
        sized=False,
    )

    assert (answer.status, answer.json()["code"]) == (413, "body-too-large")


@pytest.mark.parametrize(
    "line",
    [
        b"idempotency-key: caf\xe9",
        b"idempotency-key: " + b"k" * 300,
        b"idempotency-key:",
        b"idempotency-key: a\r\nIdempotency-Key: b",
    ],
)
async def test_keys(raw: Raw, line: bytes) -> None:
    """An invalid key, or two keys, are refused with a message that names the header."""
    answer = await raw.send(b"POST", b"/v1/accounts/zo%C3%AB/consume", line, body=USE)

    assert (answer.status, answer.json()["field"]) == (422, "Idempotency-Key")


@pytest.mark.parametrize("body", [b"\xff", b"", b'{"feature": "\xc3"}', b"\0" * 9, b"{" * 9_000])
async def test_bodies(raw: Raw, body: bytes) -> None:
    """Invalid JSON is refused with a message."""
    answer = await raw.send(b"POST", b"/v1/accounts/zo%C3%AB/consume", body=body)

    assert (answer.status, json.loads(answer.content)["field"]) == (400, "body")


async def test_what_is_no_http(served_by_sqlite: Served) -> None:
    """Bytes that are no HTTP request are refused, and the server keeps running."""
    connection = await Connection.open(served_by_sqlite.servers[0].url)
    refused = await connection.send(b"\x16\x03\x01 hello\r\n\r\n")
    await connection.close()

    after = await served_by_sqlite.connect()
    live = await after.ask("GET", "/livez")
    await after.close()

    assert (refused.status, live.status) == (400, 200)

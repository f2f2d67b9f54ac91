"""The WSGI server of a race: threads, and no output on the terminal."""

import asyncio
import threading
from typing import Any

import httpx
import pytest

from sixpence.testing.races.servers.wsgi_server import ThreadedWsgiServer

pytestmark = pytest.mark.slow


async def test_wsgi_requests_run_in_parallel() -> None:
    """Three calls that wait for each other all end."""
    together = threading.Barrier(3)

    def app(environ: Any, start_response: Any) -> list[bytes]:
        together.wait(5)
        start_response("200 OK", [])
        return [environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))]

    async with ThreadedWsgiServer(app).listen() as address, httpx.AsyncClient(base_url=str(address)) as client:
        answers = await asyncio.gather(*(client.post("/", content=f"body {n}") for n in range(3)))

    assert [answer.text for answer in answers] == ["body 0", "body 1", "body 2"]


async def test_wsgi_exception_is_500_and_recorded(capfd: pytest.CaptureFixture[str]) -> None:
    """The report lists the exception; the terminal does not."""

    def app(environ: Any, start_response: Any) -> list[bytes]:
        raise KeyError("HTTP_X_USER")

    server = ThreadedWsgiServer(app)
    async with server.listen() as address, httpx.AsyncClient(base_url=str(address)) as client:
        answer = await client.post("/")

    assert answer.status_code == 500
    assert server.raised == ["KeyError: 'HTTP_X_USER'"]
    assert capfd.readouterr() == ("", "")

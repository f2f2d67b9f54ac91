"""A WSGI app as the kit serves it: in threads, at once, and without a word on the terminal."""

import asyncio
import threading
from typing import Any

import httpx
import pytest

from sixpence.testing.races.wsgi_server import ThreadedWsgiServer


async def test_calls_are_at_work_at_once() -> None:
    """Three calls that wait for each other all end."""
    together = threading.Barrier(3)

    def app(environ: Any, start_response: Any) -> list[bytes]:
        together.wait(5)
        start_response("200 OK", [])
        return [environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))]

    async with ThreadedWsgiServer(app).listening() as place, httpx.AsyncClient(base_url=str(place)) as client:
        answers = await asyncio.gather(*(client.post("/", content=f"body {n}") for n in range(3)))

    assert [answer.text for answer in answers] == ["body 0", "body 1", "body 2"]


async def test_what_an_app_raises_is_a_500_and_remembered(capfd: pytest.CaptureFixture[str]) -> None:
    """The race tells it; the terminal of whoever tests does not."""

    def app(environ: Any, start_response: Any) -> list[bytes]:
        raise KeyError("HTTP_X_USER")

    server = ThreadedWsgiServer(app)
    async with server.listening() as place, httpx.AsyncClient(base_url=str(place)) as client:
        answer = await client.post("/")

    assert answer.status_code == 500
    assert server.raised == ["KeyError: 'HTTP_X_USER'"]
    assert capfd.readouterr() == ("", "")

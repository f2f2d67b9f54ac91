"""The sample apps under uvicorn, raced by URL: a real server shows the same as the race's own."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from uvicorn import Config, Server

from examples.races import films, films_fixed, pictures, pictures_fixed
from sixpence import CreditService
from sixpence.testing.races import Call, race

pytestmark = pytest.mark.slow

ADA = "ada@example.com"
USER = {"X-User": ADA}
PICTURE = Call("POST", "/pictures", json={"prompt": "a room"}, headers=USER)
FILM = Call("POST", "/films", json={"about": "a house"}, headers=USER)


@pytest.mark.parametrize(
    ("app", "call", "found"),
    [
        (pictures, PICTURE, {"overspend"}),
        (pictures_fixed, PICTURE, set()),
        (films, FILM, {"leaked_hold"}),
        (films_fixed, FILM, set()),
    ],
    ids=["pictures", "pictures_fixed", "films", "films_fixed"],
)
async def test_race_under_uvicorn_equals_race_in_process(
    sqlite_credits: CreditService, app: Any, call: Call, found: set[str]
) -> None:
    """The same mistakes are found, and none in the twins."""
    with run_uvicorn(app.make_app(sqlite_credits)) as url:
        report = await race(
            url,
            call,
            ledger=sqlite_credits,
            account_id=ADA,
            calls=12,
            seed=1,
            waves=["at_once", "hang_ups"],
            grace_seconds=2,
        )

    assert report.kinds == found, report


@contextmanager
def run_uvicorn(app: Any) -> Iterator[str]:
    """The URL of an app that runs under uvicorn, in a thread."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        server = Server(Config(app, log_level="critical", lifespan="off"))
        thread = threading.Thread(target=server.run, args=([listening],))
        thread.start()
        while not server.started:
            time.sleep(0.01)
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()

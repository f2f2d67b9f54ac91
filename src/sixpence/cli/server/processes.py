"""Running an ASGI application until the process is told to stop, in this process or in several.

A stop (SIGTERM, SIGINT) finishes what waits and ends with status 0.
"""

import os
import signal
import socket
import sys
from collections.abc import Mapping
from types import FrameType

from starlette.types import ASGIApp
from uvicorn import Config, Server
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors import Multiprocess

from sixpence.cli.server.head_limit import HeadLimitedProtocol
from sixpence.cli.terminal.errors import CommandRefusedError

# A writer's thread that comes back from the database waits this long at most for the interpreter, which the event loop
# has; with Python's own 5 ms a batch waited longer for that than for its commit (docs/performance.md).
SWITCH_SECONDS = 0.001
# Longer than any command waits for its database, shorter than what usually sends SIGKILL next.
GRACE_SECONDS = 8


def end_quietly_when_told() -> None:
    """From here on a stop ends the process with status 0, after everything that is open was closed."""
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, _end)


def share_the_interpreter() -> None:
    """Let the threads of this process take turns more often than Python has them do."""
    sys.setswitchinterval(SWITCH_SECONDS)


def run_here(app: ASGIApp, sockets: list[socket.socket]) -> None:
    """Serve in this process."""
    share_the_interpreter()
    # uvicorn raises the signal again once it has stopped; `_end` then unwinds the rest.
    Server(_config(app)).run(sockets)


def run_workers(factory: str, sockets: list[socket.socket], *, workers: int, environment: Mapping[str, str]) -> None:
    """Serve in `workers` processes, each making its own application; one that dies is replaced."""
    os.environ.update(environment)
    supervisor = Multiprocess(_config(factory, workers=workers), sockets)
    supervisor.run()
    if any(worker.exitcode == STARTUP_FAILURE for worker in supervisor.processes):
        raise CommandRefusedError("A worker could not start; the log above says why.")


def _config(app: ASGIApp | str, *, workers: int = 1) -> Config:
    return Config(
        app,
        factory=isinstance(app, str),
        interface="asgi3",
        workers=workers,
        loop="uvloop",
        http=HeadLimitedProtocol,
        lifespan="on",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )


def _end(_signal: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)

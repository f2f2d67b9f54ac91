"""Running an ASGI application in this process or in several workers, until SIGTERM or SIGINT stops it.

A stop finishes the waiting requests and ends with status 0.
"""

import multiprocessing
import multiprocessing.connection
import os
import signal
import socket
import sys
import threading
from collections.abc import Mapping
from types import FrameType

from starlette.types import ASGIApp
from uvicorn import Config, Server
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors import Multiprocess

from sixpence.cli.server.head_limit import HeadLimitedProtocol
from sixpence.cli.terminal.errors import CommandRefusedError
from sixpence.cli.terminal.logs import configure_logs

# The longest time that a writer's thread, back from the database, waits while the event loop runs. With Python's
# default of 5 ms a batch waited longer for the interpreter than for its commit (docs/performance.md).
SWITCH_SECONDS = 0.001
# Longer than any command waits for its database, shorter than the usual delay before SIGKILL.
GRACE_SECONDS = 8
_WORKER_APP = f"{__name__}:create_worker_app"


def exit_cleanly_on_signals() -> None:
    """From now on SIGTERM and SIGINT end the process with status 0, after its open resources are closed."""
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, _exit)


def serve_in_process(app: ASGIApp, sockets: list[socket.socket]) -> None:
    """Serve in this process."""
    _switch_threads_often()
    # uvicorn raises the signal again once it has stopped; `_exit` then closes everything else.
    Server(_config(app)).run(sockets)


def serve_in_workers(sockets: list[socket.socket], *, workers: int, environment: Mapping[str, str]) -> None:
    """Serve in `workers` processes, each with its own application; a worker that dies is replaced."""
    os.environ.update(environment)
    supervisor = Multiprocess(_config(_WORKER_APP, workers=workers), sockets)
    supervisor.run()
    if any(worker.exitcode == STARTUP_FAILURE for worker in supervisor.processes):
        raise CommandRefusedError("A worker could not start. The log above has the reason.")


def create_worker_app() -> ASGIApp:
    """Create the application of a worker from the environment; the worker ends when its parent does."""
    from sixpence.wiring import create_app

    configure_logs()
    _switch_threads_often()
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent.sentinel,), name="sixpence-parent", daemon=True).start()
    return create_app()


def _end_with(parent_sentinel: int) -> None:
    # An orphaned worker would keep the port that the next server needs.
    multiprocessing.connection.wait([parent_sentinel])
    os.kill(os.getpid(), signal.SIGTERM)


def _switch_threads_often() -> None:
    sys.setswitchinterval(SWITCH_SECONDS)


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


def _exit(_signal: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)

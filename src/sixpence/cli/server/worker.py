"""The application of one of several worker processes: it logs like its parent, and ends when its parent is gone."""

import multiprocessing
import multiprocessing.connection
import os
import signal
import threading

from starlette.types import ASGIApp

from sixpence.cli.server.processes import share_the_interpreter
from sixpence.cli.terminal.logs import configure_logs


def create_worker_app() -> ASGIApp:
    """The application that the environment describes."""
    from sixpence.wiring import create_app

    configure_logs()
    share_the_interpreter()
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent.sentinel,), name="sixpence-parent", daemon=True).start()
    return create_app()


def _end_with(sentinel: int) -> None:
    # Left alone, a worker would keep the port that the next server wants.
    multiprocessing.connection.wait([sentinel])
    os.kill(os.getpid(), signal.SIGTERM)

"""`sixpence demo`: the studio on a SQLite file of its own, with people to try it as."""

import asyncio
import os
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click

from sixpence.cli.server import processes
from sixpence.cli.server.serve import opened, started
from sixpence.cli.server.sockets import url_at
from sixpence.cli.server.welcome import welcome
from sixpence.cli.terminal import database as databases
from sixpence.cli.terminal.errors import CommandRefusedError
from sixpence.cli.terminal.logs import configure_logs
from sixpence.settings import Settings

HOME = Path(".sixpence") / "demo"
# By name: the command line stands above the studio and must start without what only the studio needs.
STUDIO = "sixpence_studio.app:create_studio"
# What the extra `demo` brings, by the names under which it is imported.
_NEEDED = {
    "numpy": "numpy",
    "cv2": "opencv-python-headless",
    "PIL": "pillow",
    "python_multipart": "python-multipart",
}


@click.command()
@click.option("--host", metavar="ADDRESS", help="Where to listen: 127.0.0.1 (this machine only), 0.0.0.0 (everybody).")
@click.option("--port", type=click.IntRange(0, 65535), help="Which port: 8000 by default, 0 for any that is free.")
def demo(host: str | None, port: int | None) -> None:
    """Serve the studio: an interior-design app whose pictures cost credits.

    \b
    Example:
      sixpence demo --port 8001

    At each start it prints where to open it, and new passwords for a customer and an operator. What they do is kept in
    the folder .sixpence/demo, or in SIXPENCE_HOME.
    """
    missing = [package for module, package in _NEEDED.items() if find_spec(module) is None]
    if missing:
        raise CommandRefusedError(f"The demo needs {', '.join(missing)}. Install sixpence[demo].")
    home = Path(os.environ.get("SIXPENCE_HOME") or HOME)
    # Never another database: the demo makes an operator whose password it prints.
    settings = Settings.read(home=home, database_url="", host=host, port=port)
    processes.end_quietly_when_told()
    configure_logs()
    with started(settings, databases.prepared_place(settings)) as (ready, sockets):
        applied = opened(ready)
        people = asyncio.run(_people(ready))
        app = _studio(ready)
        welcome(ready, applied, more=[("studio", url_at(ready.host, ready.port)), *people])
        processes.run_here(app, sockets)


async def _people(settings: Settings) -> list[tuple[str, str]]:
    from sixpence.cli.demo_people import welcome_people

    names = {"user": "customer", "admin": "operator"}
    people = await welcome_people(settings)
    return [(names[person.role], f"{person.email}  password: {person.password}") for person in people]


def _studio(settings: Settings) -> Any:
    module, _, name = STUDIO.partition(":")
    return getattr(import_module(module), name)(settings)

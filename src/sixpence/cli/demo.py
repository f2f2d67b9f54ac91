"""`sixpence demo`: the studio on its own SQLite file, with a customer and an operator who can sign in.

Not here: the studio (`sixpence_studio`), and creating the two people (`demo_people`).
"""

import asyncio
import os
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click

from sixpence.cli.server import processes
from sixpence.cli.server.serve import prepare_server, read_current_catalog
from sixpence.cli.server.sockets import url_for
from sixpence.cli.server.welcome import print_welcome
from sixpence.cli.terminal import database as databases
from sixpence.cli.terminal.errors import CommandRefusedError
from sixpence.cli.terminal.logs import configure_logs
from sixpence.cli.terminal.options import Number
from sixpence.settings import Settings

HOME = Path(".sixpence") / "demo"
# By name: the command line must start without the packages that only the studio needs.
STUDIO = "sixpence_studio.app:create_studio"
# The packages of the extra `demo`, by the names under which they are imported.
_REQUIRED_PACKAGES = {
    "numpy": "numpy",
    "cv2": "opencv-python-headless",
    "PIL": "pillow",
    "python_multipart": "python-multipart",
}


@click.command()
@click.option(
    "--host", metavar="ADDRESS", help="The address to listen on: 127.0.0.1 (this machine), 0.0.0.0 (every network)."
)
@click.option("--port", type=Number(0, 65535), help="The port: 8000 by default, 0 for any free one.")
def demo(host: str | None, port: int | None) -> None:
    """Serve the studio: an interior-design app whose pictures cost credits.

    \b
    Example:
      sixpence demo --port 8001

    Each start prints the studio's address, and new passwords for a customer and an operator. The data is in the
    folder .sixpence/demo, or in SIXPENCE_HOME.
    """
    missing = [package for module, package in _REQUIRED_PACKAGES.items() if find_spec(module) is None]
    if missing:
        raise CommandRefusedError(f"The demo needs {', '.join(missing)}. Install sixpence[demo].")
    home = Path(os.environ.get("SIXPENCE_HOME") or HOME)
    # Never another database: the demo creates an operator and prints the password.
    settings = Settings.read(home=home, database_url="", host=host, port=port)
    processes.exit_cleanly_on_signals()
    configure_logs()
    with prepare_server(settings, databases.prepare_place(settings)) as (ready, sockets):
        in_force = read_current_catalog(ready)
        people = asyncio.run(_list_people(ready))
        app = _create_studio(ready)
        print_welcome(ready, in_force, first_rows=[("studio", url_for(ready.host, ready.port)), *people])
        processes.serve_in_process(app, sockets)


async def _list_people(settings: Settings) -> list[tuple[str, str]]:
    from sixpence.cli.demo_people import prepare_people

    row_names = {"user": "customer", "admin": "operator"}
    people = await prepare_people(settings)
    return [(row_names[person.role], f"{person.email}  password: {person.password}") for person in people]


def _create_studio(settings: Settings) -> Any:
    module, _, name = STUDIO.partition(":")
    return getattr(import_module(module), name)(settings)

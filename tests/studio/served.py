"""A real studio for the tests, in its own process on a free port with a SQLite file, and its customers.

`mirror` chooses the studio whose sketches can be slow, fail or die (mirror.py).
"""

import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx

from tests.studio.generators.pictures import file_of, gradient
from tests.support.ports import free_port

START_SECONDS_MAX = 60.0
STOP_SECONDS_MAX = 30.0
ROOT = Path(__file__).parents[2]
STUDIO = "sixpence_studio.app:create_studio"
PASSWORD = "correct horse"
ROOM = file_of(gradient(), "JPEG")


class StudioServer:
    """A studio that can be killed and restarted; its address and home stay the same."""

    def __init__(self, home: Path, *, mirror: bool) -> None:
        self.home = home
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._factory = "tests.studio.mirror_generator:create_mirror_studio" if mirror else STUDIO
        self._process: subprocess.Popen[bytes] | None = None
        self._log = home / "server.log"

    @property
    def log(self) -> str:
        """The text of the server's log."""
        return self._log.read_text(errors="replace")

    @property
    def workers(self) -> list[int]:
        """The process ids of its running worker processes."""
        assert self._process is not None
        return [pid for pid, words in _children(self._process.pid) if "spawn_main" in words]

    def start(self) -> None:
        """Start the server, and return when it answers."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("SIXPENCE_")}
        environment |= {"SIXPENCE_HOME": str(self.home), "SIXPENCE_PORT": str(self.port), "PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-m", "uvicorn", "--factory", self._factory, "--port", str(self.port)]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.home, env=environment
            )
        deadline = time.monotonic() + START_SECONDS_MAX
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.end(signal.SIGKILL)
                raise RuntimeError(f"the studio did not start:\n{self.log[-4000:]}")
            time.sleep(0.05)

    def end(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End the server by a signal; return when it has ended."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(STOP_SECONDS_MAX)
            self._process = None

    def client(self) -> httpx.Client:
        """Return an HTTP client of the studio, with nobody signed in."""
        return httpx.Client(base_url=self.url, headers={"origin": self.url}, timeout=60)

    def customer(self) -> "Customer":
        """Sign up a new customer, who has six credits."""
        client = self.client()
        person = {"name": "Ada", "email": f"{uuid.uuid4().hex[:12]}@example.com", "password": PASSWORD}
        client.post("/api/auth/sign-up/email", json=person).raise_for_status()
        return Customer(client)

    def _answers(self) -> bool:
        try:
            return self.client().get("/readyz").status_code == 200
        except httpx.TransportError:
            return False


class Customer:
    """A signed-in customer."""

    def __init__(self, client: httpx.Client) -> None:
        self.client = client

    @property
    def remaining(self) -> int:
        """The credits that can be spent now."""
        return int(self.client.get("/api/user/credits").raise_for_status().json()["remaining"])

    @property
    def uses(self) -> list[str]:
        """The generation ids that were charged, oldest first."""
        rows = self.client.get("/api/user/credits/history?limit=200").raise_for_status().json()["transactions"]
        return [row["generation_id"] for row in reversed(rows) if row["kind"] in ("capture", "consume")]

    @property
    def gallery(self) -> list[dict[str, Any]]:
        """The pictures of the gallery, newest first."""
        return list(self.client.get("/studio/generations").raise_for_status().json()["generations"])

    def order(
        self, generation_id: str | None = None, *, picture: bytes | None = ROOM, feature: str = "sketch", **more: str
    ) -> httpx.Response:
        """Order a generation of an uploaded picture; the sketch of a small room by default."""
        fields: dict[str, Any] = {"generation_id": generation_id or str(uuid.uuid4()), "feature": feature, **more}
        form: list[tuple[str, Any]] = [(name, (None, value)) for name, value in fields.items() if value is not None]
        if picture is not None:
            form.append(("picture", ("room.jpg", picture, "image/jpeg")))
        return self.client.post("/studio/generations", files=form)

    def orders(self, orders: list[dict[str, Any]]) -> list[httpx.Response]:
        """Send several orders concurrently; return their answers in the same order."""
        with ThreadPoolExecutor(len(orders)) as threads:
            return list(threads.map(lambda order: self.order(**order), orders))

    def spend(self, credits: int) -> None:
        """Spend credits without making pictures."""
        for _ in range(credits):
            self.client.post("/api/user/credits/consume", json={"feature": "sketch"}).raise_for_status()


@contextmanager
def running_studio(home: Path, *, mirror: bool = False) -> Iterator[StudioServer]:
    """Run a studio for the duration of a block."""
    home.mkdir(parents=True, exist_ok=True)
    server = StudioServer(home, mirror=mirror)
    server.start()
    try:
        yield server
    finally:
        server.end()


def _children(pid: int) -> Iterator[tuple[int, str]]:
    """The running children of a process, with their command lines; a child that ends meanwhile is left out."""
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            with suppress(FileNotFoundError, ProcessLookupError):
                yield int(child), Path(f"/proc/{child}/cmdline").read_bytes().replace(b"\0", b" ").decode()

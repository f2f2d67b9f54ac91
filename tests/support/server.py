"""Runs the real server, `sixpence serve`, in its own process (with its workers) on a free port of loopback.

Lives here: its life (start, stop, kill, restart), its log, and running other commands beside it.
Not here: the requests to it, and PostgreSQL itself (postgres.py).

    with running_server(database_url, home) as server:
        httpx.get(f"{server.url}/livez")
"""

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.support.launcher import ForkedProcess, launch, run
from tests.support.ports import free_port

START_SECONDS_MAX = 60.0
STOP_SECONDS_MAX = 30.0
SIXPENCE = (sys.executable, "-m", "sixpence.cli")


class ServerProcess:
    """A server that can be killed and restarted; its address, its home and its database stay the same.

    Without `forked` it is started as from a shell, not from launcher.py's process: for measurements.
    """

    def __init__(
        self,
        home: Path,
        environment: Mapping[str, str],
        *,
        workers: int,
        command: str = "serve",
        forked: bool = True,
    ) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.home = home
        self.environment = dict(environment)
        self._arguments = [command, "--port", str(self.port)]
        if workers > 1:
            self._arguments += ["--workers", str(workers)]
        self._log = home / f"server-{self.port}.log"
        self._process: subprocess.Popen[bytes] | ForkedProcess | None = None
        # Workers and the demo start Python processes of their own, as a program from a shell does.
        self._forks = forked and command == "serve" and workers == 1

    @property
    def pid(self) -> int:
        """The process id of the server; its workers are in its process group."""
        if self._process is None:
            raise RuntimeError("this server is not running; start() it first")
        return self._process.pid

    @property
    def log(self) -> str:
        """Everything the server has printed and logged so far, over all of its starts."""
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    def start(self) -> None:
        """Start the server and return when it answers `/readyz`."""
        if self._process is not None:
            return
        # In its own process group, so that a kill reaches the workers.
        with self._log.open("ab") as log, open(os.devnull, "rb") as nothing:
            if self._forks:
                files = (nothing.fileno(), log.fileno(), log.fileno())
                self._process = launch(
                    self._arguments, cwd=self.home, environment=self.environment, files=files, own_session=True
                )
            else:
                self._process = subprocess.Popen(
                    [*SIXPENCE, *self._arguments],
                    stdin=nothing,
                    stdout=log,
                    stderr=log,
                    cwd=self.home,
                    env=self.environment,
                    start_new_session=True,
                )
        self._wait_until_ready()

    def stop(self) -> int:
        """Ask the server to end (SIGTERM), wait until it has, and give its exit status."""
        return self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End the server and its workers with SIGKILL; return when nothing listens on the port any more."""
        self._end(signal.SIGKILL)

    def restart(self) -> None:
        """Stop the server if it runs, and start it again on the same address and data."""
        self.stop()
        self.start()

    def run(self, *arguments: str, typed: str | None = None) -> subprocess.CompletedProcess[str]:
        """Run another `sixpence` command in the server's folder and environment, whether or not the server runs."""
        return run_sixpence(*arguments, cwd=self.home, environment=self.environment, typed=typed)

    def create_key(self) -> str:
        """The text of a new API key."""
        done = self.run("key", "create", "--name", "test")
        if done.returncode != 0:
            raise RuntimeError(done.stderr)
        return done.stdout.strip()

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + START_SECONDS_MAX
        while not _answers(f"{self.url}/readyz"):
            assert self._process is not None
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise RuntimeError(f"the server did not start; its log ends:\n{self.log[-4000:]}")
            time.sleep(0.02)

    def _end(self, how: signal.Signals) -> int:
        if self._process is None:
            return 0
        process, self._process = self._process, None
        if how == signal.SIGKILL:
            _signal_group(process.pid, how)
        elif process.poll() is None:
            process.send_signal(how)
        try:
            return process.wait(STOP_SECONDS_MAX)
        finally:
            _signal_group(process.pid, signal.SIGKILL)
            process.wait(STOP_SECONDS_MAX)


@contextmanager
def running_server(
    database_url: str | None, home: Path, *, workers: int = 1, env: Mapping[str, str] | None = None
) -> Iterator[ServerProcess]:
    """Run a server for the duration of a block; migrates a PostgreSQL first, None is the SQLite file of `home`."""
    home.mkdir(parents=True, exist_ok=True)
    environment = environment_for(home, database_url, env)
    if database_url is not None and database_url.startswith("postgresql"):
        upgraded = run_sixpence("db", "upgrade", cwd=home, environment=environment)
        if upgraded.returncode != 0:
            raise RuntimeError(upgraded.stderr)
    server = ServerProcess(home, environment, workers=workers)
    server.start()
    try:
        yield server
    finally:
        server.kill()


def environment_for(home: Path, database_url: str | None, env: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of a command: none of the caller's Sixpence settings, but `home`, the database and `env`."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("SIXPENCE_")}
    own["SIXPENCE_HOME"] = str(home)
    if database_url is not None:
        own["SIXPENCE_DATABASE_URL"] = database_url
    return {**own, **(env or {})}


def run_sixpence(
    *arguments: str, cwd: Path, environment: Mapping[str, str], typed: str | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end; nothing is a terminal, and stdin holds what was `typed`."""
    return run(arguments, cwd=cwd, environment=environment, typed=typed or "")


def _answers(url: str) -> bool:
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=5) as response:
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _signal_group(pid: int, how: signal.Signals) -> None:
    try:
        os.killpg(pid, how)
    except (ProcessLookupError, PermissionError):
        # The group is gone; on some systems only its dead leader is left.
        return

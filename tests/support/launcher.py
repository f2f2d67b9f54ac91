"""Runs `sixpence` in processes of its own that are forked from one process, which has imported everything before.

A short command spends nearly all of its time on imports. Lives here: that one process (one for each process of the
tests), and what it forks. A command is a real process, with its own pid, folder, environment, files and exit status.
Not here: which commands run (server.py). Whatever depends on how Python itself starts is run without this module.

    process = launch(["key", "list"], cwd=home, environment=environment, files=(stdin, stdout, stderr))
    process.wait(60)
"""

import atexit
import gc
import importlib
import json
import os
import pkgutil
import runpy
import select
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROGRAM = "sixpence.cli"
# Imported by commands while they run.
LATE = ("sixpence", "alembic.command", "alembic.runtime.migration", "httptools", "psycopg", "uvicorn", "uvloop")
# pytest is no part of a command; a migration is no module; the widgets and the workers start for themselves.
NOT_IMPORTED = ("sixpence.testing", "sixpence.ledger.migrations", "sixpence.cli.__main__")
# Python reads these when it starts.
READ_AT_START = ("PYTHON", "LC_", "LANG", "TZ")
START_SECONDS_MAX = 60.0

_NUMBER = struct.Struct("!i")


class ForkedProcess:
    """A `sixpence` that was forked; used like `subprocess.Popen`."""

    def __init__(self, arguments: Sequence[str], answers: socket.socket) -> None:
        self.args = list(arguments)
        self.returncode: int | None = None
        self._answers = answers
        self.pid = _receive_number(answers)

    def poll(self) -> int | None:
        """The exit status, or None while the process runs."""
        if self.returncode is None and self._has_ended(0):
            self._end()
        return self.returncode

    def wait(self, timeout: float) -> int:
        """Wait for the end and give the exit status; raises subprocess.TimeoutExpired."""
        if self.returncode is None:
            if not self._has_ended(timeout):
                raise subprocess.TimeoutExpired(self.args, timeout)
            self._end()
        assert self.returncode is not None
        return self.returncode

    def send_signal(self, how: signal.Signals) -> None:
        """Send a signal to the process unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, how)

    def _has_ended(self, seconds_max: float) -> bool:
        answered = select.poll()
        answered.register(self._answers, select.POLLIN)
        return bool(answered.poll(seconds_max * 1_000))

    def _end(self) -> None:
        self.returncode = _receive_number(self._answers)
        self._answers.close()


class _Launcher:
    """The process that has imported everything; it ends with the process that started it."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="sixpence-launcher-")
        self._address = str(Path(self._folder.name) / "socket")
        self._environment = _without_settings(os.environ)
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
            listener.bind(self._address)
            listener.listen(64)
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.support.launcher", str(listener.fileno())],
                stdin=subprocess.PIPE,  # at its end the launcher ends
                cwd=ROOT,
                env=self._environment,
                pass_fds=[listener.fileno()],
                start_new_session=True,  # Ctrl-C at the tests' terminal is not for the commands
            )
        atexit.register(self.close)

    def accepts(self, environment: Mapping[str, str]) -> bool:
        """Whether a Python that starts in this environment would start as the launcher did."""
        return _at_start(environment) == _at_start(self._environment)

    def launch(
        self,
        arguments: Sequence[str],
        *,
        cwd: Path,
        environment: Mapping[str, str],
        files: Sequence[int],
        own_session: bool,
    ) -> ForkedProcess:
        request = [list(arguments), str(cwd), dict(environment), own_session]
        body = json.dumps(request).encode()
        answers = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        answers.connect(self._address)
        socket.send_fds(answers, [_NUMBER.pack(len(body))], list(files))
        answers.sendall(body)
        return ForkedProcess(arguments, answers)

    def close(self) -> None:
        """End the launcher; what it forked and still runs is not ended."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(START_SECONDS_MAX)
        self._folder.cleanup()


_launcher: _Launcher | None = None
_starting = threading.Lock()


def launch(
    arguments: Sequence[str],
    *,
    cwd: Path,
    environment: Mapping[str, str],
    files: tuple[int, int, int],
    own_session: bool = False,
) -> ForkedProcess | subprocess.Popen[bytes]:
    """Start `sixpence` with these arguments; `files` become its stdin, stdout and stderr."""
    global _launcher
    with _starting:
        _launcher = _launcher or _Launcher()
    if _launcher.accepts(environment):
        return _launcher.launch(arguments, cwd=cwd, environment=environment, files=files, own_session=own_session)
    stdin, stdout, stderr = files
    return subprocess.Popen(
        [sys.executable, "-m", PROGRAM, *arguments],
        stdin=stdin,
        stdout=stdout,
        stderr=stderr,
        cwd=cwd,
        env=environment,
        start_new_session=own_session,
    )


def run(
    arguments: Sequence[str], *, cwd: Path, environment: Mapping[str, str], typed: str = "", seconds_max: float = 60.0
) -> subprocess.CompletedProcess[str]:
    """Run `sixpence` to its end; nothing is a terminal, and stdin holds what was `typed`."""
    with tempfile.TemporaryFile() as stdin, tempfile.TemporaryFile() as stdout, tempfile.TemporaryFile() as stderr:
        stdin.write(typed.encode())
        stdin.seek(0)
        files = (stdin.fileno(), stdout.fileno(), stderr.fileno())
        process = launch(arguments, cwd=cwd, environment=environment, files=files)
        try:
            status = process.wait(seconds_max)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            raise
        written = []
        for file in (stdout, stderr):
            file.seek(0)
            written.append(file.read().decode().replace("\r\n", "\n"))
    return subprocess.CompletedProcess(process.args, status, *written)


def _without_settings(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if not name.startswith("SIXPENCE_")}


def _at_start(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if name.startswith(READ_AT_START)}


def _receive_number(connection: socket.socket) -> int:
    received = b""
    while len(received) < _NUMBER.size:
        more = connection.recv(_NUMBER.size - len(received))
        if not more:
            raise RuntimeError("the launcher of commands has ended; what it wrote is on the tests' stderr")
        received += more
    number: int = _NUMBER.unpack(received)[0]
    return number


# From here on: the launcher's own process.


def _import_everything() -> None:
    for name in (*LATE, *_modules("sixpence")):
        importlib.import_module(name)
    # What is here now stays in memory that all commands share.
    gc.collect()
    gc.freeze()


def _modules(package: str) -> Iterator[str]:
    for found in pkgutil.iter_modules(importlib.import_module(package).__path__, f"{package}."):
        if not found.name.startswith(NOT_IMPORTED):
            yield found.name
            if found.ispkg:
                yield from _modules(found.name)


def _wait_for_request(listener: socket.socket) -> list[str]:
    """Fork one command after another; returns in the forked process alone, with the command's arguments."""
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake)
    signal.signal(signal.SIGCHLD, lambda _signal, _frame: None)
    running: dict[int, socket.socket] = {}
    while True:
        ready, _, _ = select.select([listener, woken, sys.stdin.fileno()], [], [])
        if woken in ready:
            os.read(woken, 4096)
            _tell_ends(running)
        if sys.stdin.fileno() in ready:
            os._exit(0)
        if listener in ready:
            answers = listener.accept()[0]
            header, files, _, _ = socket.recv_fds(answers, _NUMBER.size, 3)
            body = _receive(answers, _NUMBER.unpack(header)[0])
            pid = os.fork()
            if pid == 0:
                signal.set_wakeup_fd(-1)
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                for pipe_end in (woken, wake):
                    os.close(pipe_end)
                for connection in (listener, answers, *running.values()):
                    connection.close()
                return _become(body, files)
            for file in files:
                os.close(file)
            running[pid] = answers
            answers.sendall(_NUMBER.pack(pid))


def _tell_ends(running: dict[int, socket.socket]) -> None:
    while running:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == 0:
            return
        with running.pop(pid) as answers:
            try:
                answers.sendall(_NUMBER.pack(os.waitstatus_to_exitcode(status)))
            except BrokenPipeError:
                continue  # nobody waits for this one


def _become(body: bytes, files: Sequence[int]) -> list[str]:
    """Take over the files, the folder and the environment of the command."""
    arguments, cwd, environment, own_session = json.loads(body)
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    if own_session:
        os.setsid()
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(environment)
    sys.path[0] = cwd
    return list(arguments)


def _receive(connection: socket.socket, size: int) -> bytes:
    received = b""
    while len(received) < size:
        received += connection.recv(size - len(received))
    return received


if __name__ == "__main__":
    _import_everything()
    sys.argv[1:] = _wait_for_request(socket.socket(fileno=int(sys.argv[1])))
    runpy.run_module(PROGRAM, run_name="__main__", alter_sys=True)

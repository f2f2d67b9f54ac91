"""Part i: how long it takes until a server answers, what memory it has then, and what `import sixpence` takes."""

import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from bench.accounts import Filled, filled_postgres, filled_sqlite
from bench.part import Figure, Options, Outcome, Part, Run
from bench.templates import postgres_server
from tests.support.ports import free_port
from tests.support.server import SIXPENCE, environment_for

# How long a server is left alone before its memory is read.
_REST_SECONDS = 1.0
_START_SECONDS_MAX = 60.0
_SERVERS = ("serve, SQLite", "serve, PostgreSQL")
_FIRST = "serve, SQLite, the first time in an empty folder"
_PROGRAMS = ("pass", "import sixpence", "from sixpence import CreditService")


@contextmanager
def _opened(options: Options) -> Iterator[Mapping[str, Run]]:
    with postgres_server() as server, filled_sqlite(options.accounts) as file:
        filled = (file, filled_postgres(server, options.accounts))
        yield {
            **{name: _again(there) for name, there in zip(_SERVERS, filled, strict=True)},
            _FIRST: _first,
            **{_python(text): _program(text) for text in _PROGRAMS},
        }


def _again(filled: Filled) -> Run:
    @contextmanager
    def run() -> Iterator[Outcome]:
        with filled.template.copied() as database, tempfile.TemporaryDirectory() as home:
            yield Outcome(_started(Path(home), database), ledger=database)

    return run


@contextmanager
def _first() -> Iterator[Outcome]:
    with tempfile.TemporaryDirectory() as home:
        yield Outcome(_started(Path(home), None), ledger=f"sqlite:///{home}/credits.db")


def _python(text: str) -> str:
    return f"python -c '{text}'"


def _program(text: str) -> Run:
    """The time of a whole Python program."""

    @contextmanager
    def run() -> Iterator[Outcome]:
        started = time.perf_counter()
        subprocess.run([sys.executable, "-c", text], check=True)
        yield Outcome(Figure(value=time.perf_counter() - started))

    return run


def _started(home: Path, database: str | None) -> Figure:
    """The seconds from the start of the process to its first 200, and the memory it has after a rest."""
    port = free_port()
    environment = environment_for(home, database)
    with (home / "log").open("wb") as log:
        started = time.perf_counter()
        process = subprocess.Popen(
            [*SIXPENCE, "serve", "--port", str(port)], cwd=home, env=environment, stdout=log, stderr=log
        )
        try:
            seconds = _answered(process, f"http://127.0.0.1:{port}/readyz") - started
            time.sleep(_REST_SECONDS)
            return Figure(value=seconds, facts=_memory(process.pid))
        finally:
            process.terminate()
            process.wait()


def _answered(process: "subprocess.Popen[bytes]", url: str) -> float:
    """When the first 200 came."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    deadline = time.perf_counter() + _START_SECONDS_MAX
    while process.poll() is None and time.perf_counter() < deadline:
        try:
            with opener.open(url, timeout=5):
                return time.perf_counter()
        except (urllib.error.URLError, OSError):
            time.sleep(0.002)
    raise RuntimeError(f"no answer at {url}")


def _memory(pid: int) -> dict[str, float]:
    """Resident and proportional memory in MiB, where the system tells them."""
    path = Path(f"/proc/{pid}/smaps_rollup")
    if not path.exists():
        return {}
    sizes = {line.split()[0]: float(line.split()[1]) / 1024 for line in path.read_text().splitlines()[1:]}
    return {"RSS MiB": round(sizes["Rss:"], 1), "PSS MiB": round(sizes["Pss:"], 1)}


START_UP = Part(
    letter="i",
    title="start-up time and memory at rest",
    contenders=(*_SERVERS, _FIRST, *map(_python, _PROGRAMS)),
    opened=_opened,
    short=False,
    unit="seconds",
    seconds=0,
    setup_seconds=8,
    accounts=1_000,
    between_seconds=3,
    ratios=(),
)

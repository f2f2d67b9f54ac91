"""A run over HTTP: a server process on a copy of a template, loaded by wrk; our server, or another's."""

import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from bench import wrk
from bench.accounts import Filled
from bench.contenders.process import serving
from bench.part import Options, Outcome, Run
from bench.templates import Template
from bench.wrk import Load
from tests.support.server import ServerProcess, environment_for

THEIR_KEY = "the-bench-has-one-key"


@contextmanager
def served(database: str, *, workers: int = 1, env: Mapping[str, str] | None = None) -> Iterator[ServerProcess]:
    """Run our server on a database that has its schema; stops it with SIGTERM."""
    with tempfile.TemporaryDirectory(prefix="sixpence-bench-") as home:
        environment = environment_for(Path(home), database, env)
        server = ServerProcess(Path(home), environment, workers=workers, forked=False)
        server.start()
        try:
            yield server
        finally:
            server.stop()


def ours(
    filled: Filled, load: Load, options: Options, *, workers: int = 1, env: Mapping[str, str] | None = None
) -> Run:
    """A run of the load against our server; its ledger is verified afterwards."""

    @contextmanager
    def run() -> Iterator[Outcome]:
        with filled.template.copied() as database:
            with served(database, workers=workers, env=env) as server:
                measured = wrk.run(server.url, load, key=filled.key, accounts=filled.accounts, options=options)
            yield Outcome(measured.figure, failed=measured.failed, ledger=database)

    return run


def theirs(
    template: Template, server: Callable[[str], AbstractContextManager[str]], load: Load, options: Options
) -> Run:
    """The same load against a server that `server` starts on the URL of a copy; it takes `THEIR_KEY`."""

    @contextmanager
    def run() -> Iterator[Outcome]:
        with template.copied() as database:
            with server(database) as url:
                measured = wrk.run(url, load, key=THEIR_KEY, accounts=options.accounts, options=options)
            yield Outcome(measured.figure, failed=measured.failed)

    return run


def naive(database: str, env: Mapping[str, str] | None = None) -> AbstractContextManager[str]:
    """The naive app's server on a database of its template."""
    command = [sys.executable, "-m", "bench.contenders.naive", "{port}", database]
    return serving(command, env={"BENCH_KEY": THEIR_KEY, **(env or {})})

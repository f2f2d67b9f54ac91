"""Part k: how many transactions a second `verify` proves on one core, on both databases.

The figure counts the time of the verifying process; the wall time includes the database server's.
"""

import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from bench.mixture import write_lives
from bench.part import Figure, Options, Outcome, Part, Run
from bench.templates import postgres_server, settle
from sixpence.ledger.database import migrate
from sixpence.ledger.database.engines import PostgresServer, parse_database_url, reading_engine
from sixpence.ledger.verify.verify import verify

_ROWS_EACH = 400
_ROWS = 200_000
_DATABASES = ("SQLite", "PostgreSQL")


@contextmanager
def _opened(options: Options) -> Iterator[Mapping[str, Run]]:
    accounts = max(1, min(options.accounts, _ROWS // _ROWS_EACH))
    with postgres_server() as server, tempfile.TemporaryDirectory(prefix="sixpence-bench-") as folder:
        urls = (f"sqlite:///{Path(folder) / 'credits.db'}", server.create_database())
        place = parse_database_url(urls[1])
        assert isinstance(place, PostgresServer)
        migrate.upgrade_postgres(place)
        for url in urls:
            write_lives(url, accounts=accounts, rows_each=_ROWS_EACH)
        settle(urls[1])
        yield {
            f"{name}{words}": _proved(url, decide=decide)
            for name, url in zip(_DATABASES, urls, strict=True)
            for words, decide in (("", False), (", decided again", True))
        }


def _proved(url: str, *, decide: bool) -> Run:
    """Verify the whole ledger once, which changes nothing."""

    @contextmanager
    def run() -> Iterator[Outcome]:
        engine = reading_engine(parse_database_url(url))
        with engine.connect() as connection:
            of_process, of_wall = time.process_time(), time.monotonic()
            report = verify(connection, decide=decide)
            of_process, of_wall = time.process_time() - of_process, time.monotonic() - of_wall
        engine.dispose()
        if not report.clean:
            raise RuntimeError(f"{url} does not verify: {report.differences[:5]}")
        by_the_wall = round(report.transactions / of_wall)
        yield Outcome(Figure(value=report.transactions / of_process, facts={"by the wall": by_the_wall}))

    return run


PROOF = Part(
    letter="k",
    title="verify: transactions a second of one core",
    contenders=tuple(f"{name}{words}" for name in _DATABASES for words in ("", ", decided again")),
    opened=_opened,
    short=False,
    seconds=0,
    accounts=_ROWS // _ROWS_EACH,
    setup_seconds=90,
    between_seconds=12,
    ratios=(),
)

"""Part c: the ledger as a library, in batches of a size, beside PostgreSQL's COPY of the very rows it writes.

Both begin with values in Python, requests here and rows there, and count only the time in which they write: neither
what makes the requests, nor what made the rows to be copied.
"""

import itertools
import random
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import msgspec
import psycopg

from bench.accounts import Filled, filled_postgres
from bench.part import Figure, Options, Outcome, Part, Ratio, Run
from bench.templates import postgres_server
from sixpence.core.account.commands import Consume, Key
from sixpence.ledger.database.engines import PostgresServer as PostgresPlace
from sixpence.ledger.database.engines import parse_database_url
from sixpence.ledger.postgres.store import PostgresStore
from sixpence.ledger.writer.batch import Accepted, Request
from sixpence.ledger.writer.worker import BatchWorker

_SIZES = (1, 10, 100, 500)
_COPIED_AT_ONCE = 500
# So many rows are made beforehand for each second of a run; COPY, being faster, is done with them earlier.
_ROWS_A_SECOND = 20_000
_OURS = tuple(f"Sixpence, batches of {size}" for size in _SIZES)
# As the library's writer runs them: one batch is decided while another is written, never two for one account.
_LANES = 2
_TWO = f"Sixpence, batches of {max(_SIZES)}, two in flight"
_COPY = f"COPY of the same rows, {_COPIED_AT_ONCE} at once"
_ROWS = "SELECT * FROM credit_transactions WHERE kind = 'consume' ORDER BY ctid"

_Batches = Iterator[list[Request]]
_Rows = list[tuple[Any, ...]]


@contextmanager
def _opened(options: Options) -> Iterator[Mapping[str, Run]]:
    with postgres_server() as server:
        filled = filled_postgres(server, options.accounts)
        chunks = _made(filled, _ROWS_A_SECOND * options.seconds)
        yield {
            **{name: _ours(filled, size, options) for name, size in zip(_OURS, _SIZES, strict=True)},
            _TWO: _two_in_flight(filled, max(_SIZES), options),
            _COPY: _copy(filled, chunks, options),
        }


def _ours(filled: Filled, size: int, options: Options) -> Run:
    @contextmanager
    def run() -> Iterator[Outcome]:
        with filled.template.copied() as database:
            lane = _lane(database)
            batches = _batches(filled.accounts, size)
            _write(lane, batches, options.warm_seconds)
            times = _write(lane, batches, options.seconds)
            lane.close()
            yield Outcome(_figure(times, size), ledger=database)

    return run


def _two_in_flight(filled: Filled, size: int, options: Options) -> Run:
    @contextmanager
    def run() -> Iterator[Outcome]:
        half = filled.accounts // _LANES
        with filled.template.copied() as database, ThreadPoolExecutor(_LANES) as threads:
            lanes = [_lane(database) for _ in range(_LANES)]
            # Made before the clock runs: the threads share one interpreter.
            needed = _ROWS_A_SECOND * (options.seconds + options.warm_seconds) // size
            made = [list(itertools.islice(_batches(half, size, lane * half), needed)) for lane in range(_LANES)]
            waiting = [iter(batches) for batches in made]
            for seconds in (options.warm_seconds, options.seconds):
                started = time.perf_counter()
                times = list(threads.map(_write, lanes, waiting, [seconds] * _LANES))
                passed = time.perf_counter() - started
            for lane in lanes:
                lane.close()
            figure = _figure(sorted(itertools.chain(*times)), size)
            value = size * sum(map(len, times)) / passed
            yield Outcome(msgspec.structs.replace(figure, value=value), ledger=database)

    return run


def _copy(filled: Filled, chunks: list[_Rows], options: Options) -> Run:
    @contextmanager
    def run() -> Iterator[Outcome]:
        with filled.template.copied() as database:
            with psycopg.connect(database, autocommit=True) as connection:
                waiting = iter(chunks)
                _copy_in(connection, itertools.islice(waiting, len(chunks) // 10), options.warm_seconds)
                times = _copy_in(connection, waiting, options.seconds)
            yield Outcome(_figure(times, _COPIED_AT_ONCE))

    return run


def _batches(accounts: int, size: int, above: int = 0) -> _Batches:
    """Consumes of accounts drawn uniformly from those above a number, each with its own key."""
    drawn = random.Random(size)
    numbers = itertools.count()
    command = Consume(feature="interior")
    while True:
        yield [
            Request(f"user_{above + drawn.randint(1, accounts)}", command, Key(f"key-{next(numbers)}", bytes(32)))
            for _ in range(size)
        ]


def _write(lane: BatchWorker, batches: _Batches, seconds: float) -> list[float]:
    """Write batches for `seconds` in all; return the seconds of each."""
    times: list[float] = []
    spent = 0.0
    while spent < seconds:
        batch = next(batches)
        started = time.perf_counter()
        outcomes = lane.run(batch)
        times.append(time.perf_counter() - started)
        spent += times[-1]
        refused = [outcome for outcome in outcomes if not isinstance(outcome, Accepted)]
        if refused:
            raise RuntimeError(f"a consume was refused: {refused[0]!r}")
    return times


def _copy_in(connection: psycopg.Connection, chunks: Iterator[_Rows], seconds: float) -> list[float]:
    """Copy chunks for `seconds` in all, or until they run out; return the seconds of each, with its commit."""
    times: list[float] = []
    spent = 0.0
    while spent < seconds and (chunk := next(chunks, None)) is not None:
        started = time.perf_counter()
        with connection.cursor().copy("COPY credit_transactions FROM STDIN") as copy:
            for row in chunk:
                copy.write_row(row)
        times.append(time.perf_counter() - started)
        spent += times[-1]
    return times


def _made(filled: Filled, rows: int) -> list[_Rows]:
    """Rows that the ledger itself writes on a copy, in chunks."""
    size = max(_SIZES)
    with filled.template.copied() as database:
        lane = _lane(database)
        batches = _batches(filled.accounts, size)
        for _ in range(rows // size):
            lane.run(next(batches))
        lane.close()
        with psycopg.connect(database) as connection:
            made = connection.execute(_ROWS).fetchall()
    return [made[start : start + _COPIED_AT_ONCE] for start in range(0, len(made), _COPIED_AT_ONCE)]


def _lane(database: str) -> BatchWorker:
    place = parse_database_url(database)
    assert isinstance(place, PostgresPlace)
    return BatchWorker(PostgresStore(place.conninfo))


def _figure(times: list[float], size: int) -> Figure:
    ordered = sorted(times)
    return Figure(
        value=size * len(times) / sum(times),
        p50_ms=1000 * ordered[len(ordered) // 2],
        p99_ms=1000 * ordered[len(ordered) * 99 // 100],
    )


BATCH = Part(
    letter="c",
    title="the library in batches on PostgreSQL",
    contenders=(*_OURS, _TWO, _COPY),
    opened=_opened,
    short=True,
    seconds=3,
    setup_seconds=30,
    between_seconds=4.6,
    ratios=(
        Ratio(name="batches of 500 to COPY", above=(_OURS[-1], _TWO), below=(_COPY,), at_least=0.3, aim=0.45),
        Ratio(name="batches of 100 to COPY", above=_OURS[2:3], below=(_COPY,)),
        Ratio(name="batches of 10 to COPY", above=_OURS[1:2], below=(_COPY,)),
        Ratio(name="batches of 1 to COPY", above=_OURS[:1], below=(_COPY,)),
    ),
)

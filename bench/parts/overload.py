"""Part h: an open loop at 70 percent of the peak and at three times the peak, on PostgreSQL.

The peak is found in the same run, on the same server, by a closed loop. The figure is what was accepted and answered a
second while the schedule ran; latencies count from the intended time. `parts/README.md` says what must hold.
"""

import math
import resource
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import psycopg

from bench import open_loop, wrk
from bench.accounts import Filled, filled_postgres
from bench.http_run import served
from bench.memory import Resident, watched
from bench.open_loop import Seen
from bench.part import Figure, Options, Outcome, Part, Ratio, Run
from bench.templates import postgres_server
from bench.wrk import Load

_PEAK = Load("consume", 256)
_BELOW, _BEYOND = "70 percent of the peak", "three times the peak"
_FACTORS = {_BELOW: 0.7, _BEYOND: 3.0}
# As many connections as the peak serves requests in this time: half as many again as a server lets wait. With fewer the
# loop is not open, and above the maximum there are not enough ports and descriptors.
_UNDER_WAY_SECONDS = 0.75
_CONNECTIONS_MIN, _CONNECTIONS_MAX = 1_000, 14_000
# A generator whose own lag is above this, in one request of a hundred, does not keep its schedule.
_OWN_LAG_MS_MAX = 50
_ANSWERED_MS_MAX = 1_000
_WITHIN = "percent of accepted within 1 s"
_KEPT = "SELECT count(*) FROM credit_transactions WHERE kind = 'consume' AND idempotency_key LIKE %s"


class _Accepted(Ratio, frozen=True, kw_only=True):
    """No ratio of two contenders, but the share of what one accepted that it answered in time."""

    def in_round(self, figures: Mapping[str, Figure]) -> float | None:
        found = figures.get(self.above[0])
        return None if found is None else found.facts[_WITHIN] / 100


@contextmanager
def _opened(options: Options) -> Iterator[Mapping[str, Run]]:
    _allow_many_connections()
    with postgres_server() as server:
        filled = filled_postgres(server, options.accounts)
        yield {name: _run(name, filled, factor, options) for name, factor in _FACTORS.items()}


def _run(name: str, filled: Filled, factor: float, options: Options) -> Run:
    @contextmanager
    def run() -> Iterator[Outcome]:
        with filled.template.copied() as database:
            with served(database) as server:
                found = wrk.run(server.url, _PEAK, key=filled.key, accounts=filled.accounts, options=options)
                peak = found.figure.value
                time.sleep(1)
                with watched(server.pid) as resident:
                    seen = open_loop.run(
                        server.url,
                        rate=factor * peak,
                        seconds=options.seconds,
                        connections=_connections(peak) if factor > 1 else _CONNECTIONS_MIN,
                        key=filled.key,
                        accounts=filled.accounts,
                    )
            with psycopg.connect(database) as connection:
                row = connection.execute(_KEPT, (f"{open_loop.RUN}-%",)).fetchone()
            consumes = int(row[0]) if row else 0
            _say(name, seen, consumes)
            yield Outcome(
                _figure(seen, consumes, peak, resident, options),
                failed=found.failed + _wrong(seen, consumes),
                ledger=database,
                dropped=_own_lag_ms(seen) > _OWN_LAG_MS_MAX,
            )

    return run


def _figure(seen: Seen, consumes: int, peak: float, resident: Resident, options: Options) -> Figure:
    sums = seen.sums
    # An accepted request without an answer by the end counts as late.
    in_time = seen.share_within("accepted_from_intended", _ANSWERED_MS_MAX) * sums["accepted"]
    facts = {
        "peak a second": peak,
        "sent a second": sums["sent"] / options.seconds,
        _WITHIN: 100 * in_time / consumes if consumes else 100.0,
        "the latest accepted ms": seen.quantile_ms("accepted_from_intended", 1),
        "refused a second": sums["refused"] / options.seconds,
        "refused mean ms": seen.refused_mean_ms,
        "refused p99 ms": seen.refused_quantile_ms(0.99),
        "not sent": sums["planned"] - sums["sent"],
        "not answered": seen.unanswered,
        "sent late for want of a connection, p99 ms": seen.quantile_ms("no_connection", 0.99),
        "generator's own lag p99 ms": _own_lag_ms(seen),
        "RSS MiB before": resident.at_first,
        "RSS MiB at most": resident.most,
    }
    return Figure(
        value=sums["accepted_in_schedule"] / options.seconds,
        p50_ms=seen.quantile_ms("accepted_from_intended", 0.5),
        p99_ms=seen.quantile_ms("accepted_from_intended", 0.99),
        facts={name: round(value, 1) for name, value in facts.items() if value is not None},
    )


def _wrong(seen: Seen, consumes: int) -> int:
    """Answers that are neither 200 nor 503, connections that broke, and consumes without a 200 or the other way round.

    A request without an answer by the end may be in the ledger or not.
    """
    accepted = seen.sums["accepted"]
    astray = max(0, accepted - consumes, consumes - accepted - seen.unanswered)
    return seen.sums["other"] + seen.broken_connections + astray


def _say(name: str, seen: Seen, consumes: int) -> None:
    """Print what went wrong in the run, if anything did."""
    if _own_lag_ms(seen) > _OWN_LAG_MS_MAX:
        lag = _own_lag_ms(seen)
        print(f"h, {name}: dropped, the generator was {lag:,.0f} ms behind its own schedule (p99)", flush=True)
    if _wrong(seen, consumes):
        sums = seen.sums
        print(
            f"h, {name}: {sums['accepted']:,} answers with 200 and {consumes:,} consumes in the ledger,"
            f" {seen.unanswered:,} without an answer, {sums['other']:,} other answers,"
            f" {seen.broken_connections:,} broken connections",
            flush=True,
        )


def _own_lag_ms(seen: Seen) -> float:
    return seen.quantile_ms("own_lag", 0.99)


def _connections(peak: float) -> int:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    return min(max(_CONNECTIONS_MIN, math.ceil(peak * _UNDER_WAY_SECONDS)), _CONNECTIONS_MAX, most - 500)


def _allow_many_connections() -> None:
    """Raise this process's limit of open files to the maximum; the processes that it starts inherit it."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


OVERLOAD = Part(
    letter="h",
    title="an open loop over HTTP on PostgreSQL, below and beyond the peak",
    contenders=tuple(_FACTORS),
    opened=_opened,
    short=True,
    beyond_short=(_BELOW,),
    unit="accepted a second",
    setup_seconds=25,
    between_seconds=24,
    ratios=(
        _Accepted(
            name="three times the peak: answered within a second",
            above=(_BEYOND,),
            below=(_BEYOND,),
            at_least=1,
            aim=1,
        ),
        Ratio(name="accepted a second beyond the peak, to below it", above=(_BEYOND,), below=(_BELOW,)),
    ),
)

"""Part f: a ledger that has grown: consumes, and reading history and balance, over HTTP on PostgreSQL.

BENCH_SIZES lists the numbers of transactions; the first is the base of the ratios: "0,1000000,10000000".
"""

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import msgspec

from bench import wrk
from bench.accounts import Filled
from bench.growth import BYTES_EACH, Past, grown
from bench.http_run import ours, served
from bench.part import Options, Outcome, Part, Ratio, Run
from bench.persistent_server import PersistentServer, find_folder
from bench.wrk import Load, Shape

_SIZES = tuple(int(size) for size in os.environ.get("BENCH_SIZES", "0,1000000,10000000").split(","))
_ONE_ACCOUNT = min(1_000_000, max(_SIZES))
# A page of history for each of some accounts: as near to nothing as an answer of twenty transactions allows.
_PAGE, _PAGED = 20, 1_000
_LOG_BYTES = 5_000_000_000
_WHAT = ("consume", "history", "balance")
_BASE = f"{_SIZES[0]:,} transactions"
_GROWN = tuple(f"{size:,} transactions" for size in _SIZES[1:])
_ONE_BASE, _ONE = f"one account, {_PAGE} transactions", f"one account, {_ONE_ACCOUNT:,} transactions"


def _name(what: str, ledger: str) -> str:
    return f"{what}, {ledger}"


@contextmanager
def _opened(options: Options) -> Iterator[Mapping[str, Run]]:
    _check_space()
    with PersistentServer() as server:
        pasts = {size: _past(options.accounts, size) for size in _SIZES}
        ledgers = {size: grown(server, past) for size, past in pasts.items()}
        one = grown(server, Past(options.accounts, _ONE_ACCOUNT, 1))
        runs: dict[str, Run] = {}
        for size, filled in ledgers.items():
            runs |= _runs(f"{size:,} transactions", filled, pasts[size].among, "uniform", options)
        runs |= _runs(_ONE_BASE, ledgers[_SIZES[0]], 1, "hot", options)
        yield {**runs, **_runs(_ONE, one, 1, "hot", options)}


def _past(accounts: int, size: int) -> Past:
    if size == 0:
        among = min(_PAGED, accounts)
        return Past(accounts, _PAGE * among, among)
    return Past(accounts, size, accounts)


def _runs(ledger: str, filled: Filled, among: int, shape: Shape, options: Options) -> Mapping[str, Run]:
    """The three runs of a ledger; history is read of the accounts that have one."""
    paged = msgspec.structs.replace(filled, accounts=among)
    return {
        _name("consume", ledger): ours(filled, Load("consume", 64, shape), options),
        _name("history", ledger): _read(paged, Load("history", 1, shape), options),
        _name("balance", ledger): _read(filled, Load("balance", 1, shape), options),
    }


def _read(filled: Filled, load: Load, options: Options) -> Run:
    """Reads change nothing and need no copy: they use the ledger itself."""

    @contextmanager
    def run() -> Iterator[Outcome]:
        with served(filled.template.url) as server:
            measured = wrk.run(server.url, load, key=filled.key, accounts=filled.accounts, options=options)
        yield Outcome(measured.figure, failed=measured.failed)

    return run


def _check_space() -> None:
    """Raise where there is no room for all of them and a copy of each."""
    needed = 2 * BYTES_EACH * (sum(_SIZES) + _ONE_ACCOUNT) + _LOG_BYTES
    free = shutil.disk_usage(find_folder()).free
    print(f"f: up to {needed / 1e9:,.0f} GB of disk are needed, {free / 1e9:,.0f} GB are free", flush=True)
    if free < needed:
        raise SystemExit("There is too little room on the disk. Say fewer transactions: BENCH_SIZES=0,1000000")


def _consume(grown_to: str, base: str) -> Ratio:
    return Ratio(
        name=f"consume, {grown_to}, to {base}",
        above=(_name("consume", grown_to),),
        below=(_name("consume", base),),
        at_least=0.9,
        aim=1,
    )


def _p50(what: str, grown_to: str, base: str) -> Ratio:
    return Ratio(
        name=f"p50 of {what}, {grown_to}, to {base}",
        above=(_name(what, grown_to),),
        below=(_name(what, base),),
        of="p50_ms",
        less_is_better=True,
        at_least=1.2,
        aim=1.1,
    )


_COMPARED = (*((ledger, _BASE) for ledger in _GROWN), (_ONE, _ONE_BASE))

GROWTH = Part(
    letter="f",
    title="growth: a ledger with a past, over HTTP on PostgreSQL",
    contenders=tuple(_name(what, ledger) for ledger in (_BASE, *_GROWN, _ONE_BASE, _ONE) for what in _WHAT),
    opened=_opened,
    short=False,
    setup_seconds=60 + max(_SIZES) / 10_000,
    between_seconds=8 + sum(_SIZES) / 250_000,
    ratios=(
        *(_consume(*pair) for pair in _COMPARED),
        *(_p50(what, *pair) for pair in _COMPARED for what in ("history", "balance")),
    ),
)

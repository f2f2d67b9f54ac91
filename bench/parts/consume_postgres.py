"""Part a: consumes over HTTP on PostgreSQL, beside its own `pgbench` and beside the app one would write."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from bench import pgbench
from bench.accounts import filled_postgres
from bench.contenders import naive_postgres
from bench.http_run import naive, ours, theirs
from bench.part import Options, Part, Ratio, Run
from bench.templates import postgres_server
from bench.wrk import Load

_CLIENTS = (1, 8, 64)
_LOADS = {
    "Sixpence, 1 connection": Load("consume", 1),
    "Sixpence, 8 connections": Load("consume", 8),
    "Sixpence, 64 connections": Load("consume", 64),
    "Sixpence, 256 connections": Load("consume", 256),
    "Sixpence, 64 connections, Zipf": Load("consume", 64, "zipf"),
    "Sixpence, 64 connections, one hot account": Load("consume", 64, "hot"),
}
_TWO = {
    "Sixpence, two workers, 64 connections": Load("consume", 64),
    "Sixpence, two workers, 256 connections": Load("consume", 256),
}
_UNIFORM = ("pgbench, 1 client", "pgbench, 8 clients", "pgbench, 64 clients")
_HOT = tuple(f"{name}, one hot account" for name in _UNIFORM)
_NAIVE = "naive app, 64 connections"
_OURS_64, _OURS_256 = "Sixpence, 64 connections", "Sixpence, 256 connections"
_TWO_64, _TWO_256 = _TWO
_OURS_HOT = "Sixpence, 64 connections, one hot account"


@contextmanager
def _opened(options: Options) -> Iterator[Mapping[str, Run]]:
    with postgres_server() as server:
        filled = filled_postgres(server, options.accounts)
        beside = pgbench.template(server, options.accounts)
        wallet = naive_postgres.template(server, options.accounts)
        yield {
            **{name: ours(filled, load, options) for name, load in _LOADS.items()},
            **{name: ours(filled, load, options, workers=2) for name, load in _TWO.items()},
            **{
                name: pgbench.debits(beside, accounts=accounts, clients=clients, options=options)
                for names, accounts in ((_UNIFORM, options.accounts), (_HOT, 1))
                for name, clients in zip(names, _CLIENTS, strict=True)
            },
            _NAIVE: theirs(wallet, naive, Load("consume", 64), options),
        }


CONSUME_POSTGRES = Part(
    letter="a",
    title="consume over HTTP on PostgreSQL",
    contenders=(*_LOADS, *_TWO, *_UNIFORM, *_HOT, _NAIVE),
    opened=_opened,
    short=True,
    beyond_short=("Sixpence, 8 connections", "Sixpence, 64 connections, Zipf"),
    setup_seconds=20,
    between_seconds=3.6,
    ratios=(
        Ratio(
            name="64 connections, uniform, to pgbench's best",
            above=(_OURS_64, _TWO_64),
            below=_UNIFORM,
            at_least=0.7,
            aim=1.2,
        ),
        Ratio(
            name="256 connections to pgbench's best",
            above=(_OURS_256, _TWO_256),
            below=_UNIFORM,
            at_least=0.9,
            aim=1.4,
        ),
        Ratio(name="64 connections: two workers to one", above=(_TWO_64,), below=(_OURS_64,)),
        Ratio(name="256 connections: two workers to one", above=(_TWO_256,), below=(_OURS_256,)),
        Ratio(
            name="one hot account to pgbench with 64 clients", above=(_OURS_HOT,), below=_HOT[-1:], at_least=3, aim=6
        ),
        Ratio(name="one hot account to pgbench's best", above=(_OURS_HOT,), below=_HOT, at_least=0.9, aim=1.5),
        Ratio(name="one hot account to uniform", above=(_OURS_HOT,), below=(_OURS_64,), at_least=0.75, aim=1),
        Ratio(name="64 connections to the naive app", above=(_OURS_64,), below=(_NAIVE,), at_least=4, aim=6),
        Ratio(
            name="one connection: p50 to pgbench's p50 with one client",
            above=("Sixpence, 1 connection",),
            below=_UNIFORM[:1],
            of="p50_ms",
            less_is_better=True,
            at_least=7,
            aim=4,
        ),
    ),
)

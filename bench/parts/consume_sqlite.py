"""Part b: consumes over HTTP on SQLite, beside an app with one transaction a request."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from bench.accounts import filled_sqlite
from bench.contenders import naive_sqlite
from bench.http_run import naive, ours, theirs
from bench.part import Options, Part, Ratio, Run
from bench.wrk import Load

_CONNECTIONS = (1, 64)
_OURS = ("Sixpence, 1 connection", "Sixpence, 64 connections")
_NAIVE = ("one transaction a request, 1 connection", "one transaction a request, 64 connections")


@contextmanager
def _opened(options: Options) -> Iterator[Mapping[str, Run]]:
    with filled_sqlite(options.accounts) as filled, naive_sqlite.template(options.accounts) as wallet:
        loads = [Load("consume", connections) for connections in _CONNECTIONS]
        yield {
            **{name: ours(filled, load, options) for name, load in zip(_OURS, loads, strict=True)},
            **{name: theirs(wallet, naive, load, options) for name, load in zip(_NAIVE, loads, strict=True)},
        }


CONSUME_SQLITE = Part(
    letter="b",
    title="consume over HTTP on SQLite",
    contenders=(*_OURS, *_NAIVE),
    opened=_opened,
    short=True,
    setup_seconds=15,
    between_seconds=3.6,
    ratios=(
        Ratio(
            name="64 connections to one transaction a request",
            above=_OURS[1:],
            below=_NAIVE[1:],
            at_least=3,
            aim=3.5,
        ),
    ),
)

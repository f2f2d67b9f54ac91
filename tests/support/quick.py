"""Which tests are quick, and the guard that holds them to it: no new process, no browser, no PostgreSQL, little to do.

A test is marked `quick` when nothing that it or one of its fixtures refers to starts a process. The guard refuses each
quick test that does all the same, in every run. Long tests without a process are marked `slow` where they are defined.
"""

import inspect
import multiprocessing
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import CodeType, FunctionType, ModuleType
from typing import Any

import pytest

# Modules that start processes.
STARTERS = (
    "multiprocessing",
    "sixpence_studio.orders.worker_pool",
    "subprocess",
    "tests.support.chromium",
    "tests.support.launcher",
    "tests.support.postgres",
    "tests.support.server",
)
# Functions of other modules that start processes.
CALLS = {"create_subprocess_exec", "create_subprocess_shell", "fork"}
# Parameters of tests that need no PostgreSQL, where a fixture chooses another fixture by name.
ALONE = ("sqlite", "memory")
# The audit events of a process that starts.
STARTS = {
    "os.exec",
    "os.fork",
    "os.forkpty",
    "os.posix_spawn",
    "os.spawn",
    "os.system",
    "pty.spawn",
    "subprocess.Popen",
}

_known: dict[object, bool] = {}
_guarded: list[str] = []


class NotQuickError(BaseException):
    """A test that is marked quick started a process or asked for PostgreSQL; no test expects this error."""


def mark_quick(item: pytest.Item) -> None:
    """Mark the test if it is quick."""
    if isinstance(item, pytest.Function) and not item.get_closest_marker("slow") and not _needs_process(item):
        item.add_marker("quick")


@contextmanager
def guarded(name: str) -> Iterator[None]:
    """Refuse what a quick test must not do; raises NotQuickError."""
    made = _processes_made()
    _guarded.append(name)
    try:
        yield
    finally:
        _guarded.clear()
    if _processes_made() != made + 1:
        raise NotQuickError(f"{name} is marked quick and used multiprocessing. Mark it slow.")


def refuse_in_quick_tests(what: str) -> None:
    """Raise NotQuickError if the test that runs now is marked quick."""
    if _guarded:
        raise NotQuickError(f"{_guarded[0]} is marked quick and needs {what}. Mark it slow.")


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    if _guarded and event in STARTS:
        refuse_in_quick_tests(f"a process ({event} {arguments[:1]})")


sys.addaudithook(_watch)


def _processes_made() -> int:
    """How many processes multiprocessing has made so far: it counts them in their names."""
    return int(multiprocessing.Process().name.rpartition("-")[2])


def _needs_process(item: pytest.Function) -> bool:
    fixtures = [made.func for definitions in item._fixtureinfo.name2fixturedefs.values() for made in definitions]
    if "postgres" in item.name:
        return True
    if any(map(_chooses_fixture, fixtures)) and not any(kind in item.name for kind in ALONE):
        return True
    return any(starts_process(each) for each in (item.function, *fixtures))


def _chooses_fixture(function: Any) -> bool:
    return "getfixturevalue" in getattr(inspect.unwrap(function), "__code__", _chooses_fixture.__code__).co_names


def starts_process(thing: Any) -> bool:
    """Whether it is such a module or comes from one, or refers, however far away in the tests, to something that is."""
    # The type itself is compared: some objects of libraries come to life when they are looked at.
    kind = type(thing)
    if kind is ModuleType:
        return bool(thing.__name__.startswith(STARTERS))
    if kind is FunctionType:
        thing = inspect.unwrap(thing)
    elif not issubclass(kind, type):
        return kind.__module__.startswith(STARTERS)
    if not thing.__module__.startswith("tests."):
        return bool(thing.__module__.startswith(STARTERS))
    if thing not in _known:
        _known[thing] = thing.__module__.startswith(STARTERS)  # also ends functions that call each other in a circle
        _known[thing] = _known[thing] or any(map(starts_process, _referred(thing)))
    return _known[thing]


def _referred(thing: FunctionType | type) -> Iterator[object]:
    if isinstance(thing, FunctionType):
        names = set(_names(thing.__code__))
        yield from [subprocess] * (not names.isdisjoint(CALLS))
        yield from (thing.__globals__[name] for name in names if name in thing.__globals__)
        return
    yield from thing.__bases__
    for member in vars(thing).values():
        yield getattr(member, "__func__", getattr(member, "fget", member))


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)

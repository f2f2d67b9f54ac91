"""A bar for a person who waits at a terminal: how far, at what rate, how long it still takes; for nobody, nothing."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def shown_progress(what: str, of: str) -> Iterator[Callable[[int, int], None] | None]:
    """Gives what is to be told how many of how many are done; None where nobody looks."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    rate = TextColumn("{task.fields[rate]}")
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), rate, TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as drawn:
        task = drawn.add_task(what, total=None, rate="")
        began, first = time.monotonic(), 0

        def tell(done: int, total: int) -> None:
            nonlocal began, first
            if drawn.tasks[0].total is None:
                began, first = time.monotonic(), done  # from where a run goes on
            seconds = time.monotonic() - began
            told = f"{(done - first) / seconds:,.0f} {of} a second" if seconds > 0.5 else ""
            drawn.update(task, completed=done, total=total, rate=told)

        yield tell

"""A progress bar on a terminal: percentage, rate and time left. Nothing is drawn where stderr is no terminal."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def progress_bar(task: str, unit: str) -> Iterator[Callable[[int, int], None] | None]:
    """Draw a bar, and give the function that updates it with (done, total); None where stderr is no terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    rate = TextColumn("{task.fields[rate]}")
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), rate, TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task_id = bar.add_task(task, total=None, rate="")
        began, first = time.monotonic(), 0

        def update(done: int, total: int) -> None:
            nonlocal began, first
            if bar.tasks[0].total is None:
                began, first = time.monotonic(), done  # a resumed run starts above 0
            seconds = time.monotonic() - began
            speed = f"{(done - first) / seconds:,.0f} {unit} a second" if seconds > 0.5 else ""
            bar.update(task_id, completed=done, total=total, rate=speed)

        yield update

"""A library's charge in a loop from threads, the same for every library: customers drawn uniformly, a key for each.

Runs in every peer's environment and in ours: standard library only. The module of a library gives its functions to
`main`; then `python -m bench.peers.<module> fill URL CUSTOMERS` makes the customers, and `... charge URL CUSTOMERS
THREADS WARM_SECONDS SECONDS` charges them and prints the figures as JSON.
"""

import json
import random
import sys
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager

CREDITS = 1_000_000_000
# Charge the customer of a number from 1 once under a key; raises unless that was accepted.
Charge = Callable[[int, str], object]
# From a URL, how many customers there are, and how many threads will charge them.
Opened = Callable[[str, int, int], AbstractContextManager[Charge]]


def main(opened: Opened, fill: Callable[[str, int], None] | None = None) -> None:
    """Run the command line; without `fill` the customers exist already."""
    what, url, customers, *numbers = sys.argv[1:]
    if what == "fill" and fill is not None:
        fill(url, int(customers))
        return
    threads, warm_seconds, seconds = map(int, numbers)
    with opened(url, int(customers), threads) as charge:
        _charged(charge, int(customers), threads, warm_seconds, "warm")
        times = sorted(_charged(charge, int(customers), threads, seconds, "run"))
    figures = {
        "charges": len(times),
        "rate": len(times) / seconds,
        "p50_ms": 1000 * times[len(times) // 2],
        "p99_ms": 1000 * times[len(times) * 99 // 100],
    }
    print(json.dumps(figures))


def _charged(charge: Charge, customers: int, threads: int, seconds: int, run: str) -> list[float]:
    """The seconds that each charge took which ended in time; an error in any thread is raised here."""
    times: list[float] = []
    errors: list[BaseException] = []
    end = time.perf_counter() + seconds

    def work(number: int) -> None:
        drawn = random.Random(f"{run}-{number}")
        count = 0
        try:
            while (started := time.perf_counter()) < end:
                count += 1
                charge(drawn.randint(1, customers), f"{run}-{number}-{count}")
                ended = time.perf_counter()
                if ended < end:
                    times.append(ended - started)
        except BaseException as error:  # noqa: BLE001 - raised again in the main thread
            errors.append(error)

    workers = [threading.Thread(target=work, args=(number,)) for number in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    if errors:
        raise errors[0]
    return times

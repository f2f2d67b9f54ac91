"""Ours as a library, in the same loop: `SyncCreditService.consume_credit`."""

from collections.abc import Iterator
from contextlib import contextmanager

from bench.peers import loop
from bench.peers.loop import Charge
from sixpence import SyncCreditService


@contextmanager
def opened(url: str, _customers: int, _threads: int) -> Iterator[Charge]:
    """A consume of one credit."""
    with SyncCreditService(url) as credits:
        yield lambda customer, key: credits.consume_credit(f"user_{customer}", "interior", idempotency_key=key)


if __name__ == "__main__":
    loop.main(opened)

"""hf-nostro: a ledger over PostgreSQL whose debit is one call of a server-side function in its own transaction.

It is given a connection for each thread (its own pool would have four), and accounts as it prefers them: already read.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from nostro import Ledger  # type: ignore[import-not-found]
from nostro.migrate import migrate  # type: ignore[import-not-found]
from psycopg_pool import ConnectionPool  # type: ignore[import-not-found]

from bench.peers import loop
from bench.peers.loop import CREDITS, Charge

SCALE = 6


def fill(url: str, customers: int) -> None:
    """Its schema, as it makes it itself, and customers with credits."""
    migrate(dsn=url, scale=SCALE)
    ledger = Ledger(dsn=url, scale=SCALE)
    for number in range(1, customers + 1):
        account = ledger.accounts.create("bench", f"user_{number}")
        ledger.credit(account, ledger.amount(CREDITS), category="topup", idempotency_key="topup")
    ledger.close()


@contextmanager
def opened(url: str, customers: int, threads: int) -> Iterator[Charge]:
    """A debit of one credit."""
    with ConnectionPool(url, min_size=threads, max_size=threads, open=True) as pool:
        ledger = Ledger(pool=pool, scale=SCALE)
        one = ledger.amount(1)
        accounts = [ledger.accounts.get("bench", f"user_{number}") for number in range(1, customers + 1)]
        yield lambda customer, key: ledger.debit(accounts[customer - 1], one, category="interior", idempotency_key=key)


if __name__ == "__main__":
    loop.main(opened, fill)

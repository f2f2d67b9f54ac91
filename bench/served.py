"""A Sixpence server to measure: a real process on a fresh database, with accounts that can pay and a key."""

import asyncio
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from sixpence.core.commands import EnsureAccount, GrantCredits
from sixpence.ledger.batch import Request
from sixpence.ledger.ledger import Ledger
from sixpence.ledger.verify import Report, verify
from tests.support.server import running_server

AT_ONCE = 1_000


class Served(msgspec.Struct, frozen=True):
    """Where the server answers, with which key, and the database it keeps."""

    url: str
    key: str
    database: str

    def verify(self) -> Report:
        """Fold the whole ledger and compare."""
        ledger = Ledger(self.database)
        try:
            return ledger.read_and_wait(verify)
        finally:
            ledger.close()


@contextmanager
def served(database: str, accounts: int) -> Iterator[Served]:
    """A running server whose accounts `user_1` to `user_N` have a million credits each."""
    with tempfile.TemporaryDirectory() as home:
        asyncio.run(_fill(Ledger(database), accounts))
        with running_server(database, Path(home)) as server:
            yield Served(server.url, server.create_key(), database)


async def _fill(ledger: Ledger, accounts: int) -> None:
    names = [f"user_{number}" for number in range(1, accounts + 1)]
    for start in range(0, accounts, AT_ONCE):
        part = names[start : start + AT_ONCE]
        await asyncio.gather(*(ledger.submit(Request(name, EnsureAccount())) for name in part))
        await asyncio.gather(*(ledger.submit(Request(name, GrantCredits(amount=1_000_000))) for name in part))
    await asyncio.to_thread(ledger.close)

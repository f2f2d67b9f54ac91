"""Verifying the ledgers of a round, two at a time: a round whose ledgers do not verify fails."""

import multiprocessing
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor

from sixpence.ledger.ledger import Ledger
from sixpence.ledger.verify.verify import verify

AT_ONCE = 2


class NotVerifiedError(Exception):
    """A ledger does not verify; the message names the first differences."""


def verify_all(ledgers: Sequence[str]) -> int:
    """Verify every account of every ledger; returns the number of transactions, raises `NotVerifiedError`."""
    if not ledgers:
        return 0
    with ProcessPoolExecutor(AT_ONCE, multiprocessing.get_context("spawn")) as processes:
        return sum(processes.map(_transactions, ledgers))


def _transactions(url: str) -> int:
    ledger = Ledger(url)
    try:
        report = ledger.read_and_wait(verify)
    finally:
        ledger.close()
    if not report.clean:
        raise NotVerifiedError(f"{url} does not verify: {'; '.join(report.differences[:5])}")
    return report.transactions

"""Claims of outside events: each belongs to one account, also with concurrent claims."""

import threading
from functools import partial

from sixpence.ledger.database.source_claims import claim
from sixpence.ledger.ledger import Ledger
from tests.ledger.databases import rows

ADA, BOB = "ada@example.com", "bob@example.com"
NOW = 1_772_366_400_000_000


def test_first_account_owns_the_claim(url: str) -> None:
    """A later claim by any account returns the owner; nothing is written again."""
    ledger = Ledger(url)

    owners = [
        ledger.write_and_wait(partial(claim, source_key="payment-1", account_id=name, now=at))
        for name, at in ((ADA, NOW), (BOB, NOW + 1), (ADA, NOW + 2))
    ]
    other = ledger.write_and_wait(partial(claim, source_key="payment-2", account_id=BOB, now=NOW))
    ledger.close()

    assert (owners, other) == ([ADA, ADA, ADA], BOB)
    kept = rows(url, "SELECT source_key, account_id, claimed_at FROM source_claims ORDER BY source_key")
    assert kept == [("payment-1", ADA, NOW), ("payment-2", BOB, NOW)]


def test_concurrent_claims_have_one_owner(url: str) -> None:
    """Two writers claim the same events for two accounts at once: each event has one owner, and both get it."""
    ledgers = [Ledger(url), Ledger(url)]
    heard: dict[str, list[str]] = {ADA: [], BOB: []}
    start = threading.Barrier(2)

    def work(ledger: Ledger, name: str) -> None:
        ledger.open()
        start.wait(10)
        for number in range(30):
            one = partial(claim, source_key=str(number), account_id=name, now=NOW)
            heard[name].append(ledger.write_and_wait(one))

    threads = [threading.Thread(target=work, args=pair) for pair in zip(ledgers, heard, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for ledger in ledgers:
        ledger.close()

    kept = dict(rows(url, "SELECT source_key, account_id FROM source_claims"))
    assert heard[ADA] == heard[BOB] == [kept[str(number)] for number in range(30)]

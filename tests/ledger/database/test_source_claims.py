"""Claims of outside events: one account has each, whoever tells of it, and how many at once."""

import threading
from functools import partial

from sixpence.ledger.database.source_claims import claim
from sixpence.ledger.ledger import Ledger
from tests.ledger.databases import rows

ADA, BOB = "ada@example.com", "bob@example.com"
NOW = 1_772_366_400_000_000


def test_the_first_account_has_the_claim(url: str) -> None:
    """Whoever tells of the event later, for whichever account, hears whose it is; nothing is written again."""
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


def test_two_accounts_race_for_one_claim(url: str) -> None:
    """Two writers claim the same events for two accounts at once: each event has one owner, and both hear who."""
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

"""Orphans: source events that were granted twice or without a claim are found over all accounts."""

import pytest

from sixpence.core.account.commands import EnsureAccount, GrantCredits
from sixpence.core.values.bounds import account_no
from sixpence.ledger.database.source_claims import SOURCE_PREFIX
from sixpence.ledger.ledger import Ledger
from sixpence.service.blocking import SyncCreditService
from tests.ledger.databases import run, run_verify, verify_clean
from tests.ledger.moved_clock import MovedClock
from tests.ledger.writer.worker_driver import ADA, CATALOG, reopen_driver

BOB = "bob@example.com"
EVENT = "invoice 7"


@pytest.fixture
def granted(url: str, clock: MovedClock) -> str:
    """A database in which Ada was granted an event's credits, and Bob another's; it is right."""
    with SyncCreditService(Ledger(url, catalog=CATALOG, clock=clock)) as service:
        for account_id, event in ((ADA, EVENT), (BOB, "invoice 8")):
            service.initialize_user_credits(account_id)
            service.grant_credits(account_id, 5, source_key=event)
    verify_clean(url, decide=True)
    return url


def grant_again(url: str, clock: MovedClock, event: str) -> None:
    """Grants an event's credits to Bob past the claims, as no Sixpence does."""
    driver = reopen_driver(url, clock)
    driver.run(EnsureAccount(), account_id=BOB)
    driver.run(GrantCredits(amount=5), account_id=BOB, key=SOURCE_PREFIX + event)
    driver.store.close()


def test_event_granted_to_two_accounts_is_found(granted: str, clock: MovedClock) -> None:
    """The account that has no claim to it is named, and the one that has."""
    grant_again(granted, clock, EVENT)

    assert run_verify(granted).differences == [
        f"account '{BOB}': transaction 3 grants for the source key '{EVENT}', which account '{ADA}' has claimed"
    ]


def test_unclaimed_grant_is_found(granted: str) -> None:
    """A grant whose claim is gone could be granted again to anybody."""
    run(granted, "DELETE FROM source_claims WHERE source_key = :key", {"key": EVENT})

    assert run_verify(granted).differences == [
        f"account '{ADA}': transaction 2 grants for the source key '{EVENT}', which nobody has claimed"
    ]


def test_grant_claimed_by_another_account_is_found(granted: str) -> None:
    """The claim says whose the event is, and the grant is somebody else's."""
    values = {"no": account_no(BOB), "id": BOB, "key": EVENT}
    run(granted, "UPDATE source_claims SET account_no = :no, account_id = :id WHERE source_key = :key", values)

    assert run_verify(granted).differences == [
        f"account '{ADA}': transaction 2 grants for the source key '{EVENT}', which account '{BOB}' has claimed"
    ]


def test_a_claim_without_its_grant_is_no_difference(granted: str, clock: MovedClock) -> None:
    """A process that crashes between the claim and the grant grants when the event is delivered again."""
    run(
        granted,
        "INSERT INTO source_claims (source_key, account_no, account_id, claimed_at) "
        "VALUES ('invoice 9', :no, :id, :at)",
        {"no": account_no(ADA), "id": ADA, "at": clock()},
    )

    assert run_verify(granted).differences == []


CLAIM = "INSERT INTO source_claims (source_key, account_no, account_id, claimed_at) VALUES ('invoice 9', :no, :id, 5)"


def test_claim_of_unknown_account_is_found(granted: str) -> None:
    """An event is claimed only for an existing account, so this one was removed."""
    run(granted, CLAIM, {"no": account_no("ghost"), "id": "ghost"})

    assert run_verify(granted).differences == [
        "the claim of the source key 'invoice 9' is of account 'ghost', which does not exist"
    ]


def test_a_claim_of_an_account_at_a_later_number_is_no_difference(granted: str) -> None:
    """A claim has the first number of its account's id, also if another account has that number."""
    insert = "INSERT INTO credit_accounts (account_no, account_id) VALUES (:no, :id)"
    run(granted, insert, {"no": account_no("eve", 1), "id": "eve"})
    run(granted, CLAIM, {"no": account_no("eve"), "id": "eve"})

    assert [line for line in run_verify(granted).differences if "claim" in line] == []


@pytest.mark.parametrize(
    ("change", "difference"),
    [
        ("account_no = 7", "names number 7, which is not that of 'ada@example.com'"),
        ("claimed_at = -1", "has an invalid time: -1"),
    ],
)
def test_invalid_claim_is_found(granted: str, change: str, difference: str) -> None:
    """Its number must follow from its account's id, and its time must be valid."""
    run(granted, f"UPDATE source_claims SET {change} WHERE source_key = :key", {"key": EVENT})

    assert run_verify(granted).differences == [f"the claim of the source key '{EVENT}' {difference}"]


def test_keys_similar_to_source_keys_need_no_claim(granted: str, clock: MovedClock) -> None:
    """A caller's own keys around the prefix need no claim."""
    driver = reopen_driver(granted, clock)
    for key in ("source", "source\x1e", "source ", "sourcf", "SOURCE\x1f"):
        driver.run(GrantCredits(amount=1), key=key)
    driver.store.close()

    assert run_verify(granted).differences == []

"""Idempotency keys: one change, one permanent result, and a conflict for any other request (invariant 6)."""

import asyncio
from enum import Enum

import msgspec
import pytest

from sixpence.core.refusals import IdempotencyConflictError, InsufficientCreditsError
from sixpence.ledger.ledger import Ledger
from sixpence.service.credits import CreditService
from sixpence.service.results.receipts import Receipt
from tests.ledger.databases import Database, count_uses, ledger_of, rows, snapshot, verify_clean

ADA, BOB = "ada@example.com", "bob@example.com"


class Room(str, Enum):  # noqa: UP042 - the kind whose str() is not its value
    """An enumeration whose members are texts."""

    INTERIOR = "interior"
    ADA = "ada@example.com"


class Name(str):
    """A subclass of text."""


async def test_replay_gives_same_result(credits: CreditService) -> None:
    """A replay has the result of the first request, but for `replayed`, although other changes were made since."""
    await credits.initialize_user_credits(ADA)
    first = await credits.consume_credit(ADA, "video", metadata={"a": [1, 2.0]}, idempotency_key="k")
    await credits.grant_credits(ADA, 100)
    await credits.update_subscription_status(ADA, "pro")

    second = await credits.consume_credit(ADA, "video", metadata={"a": [1, 2.0]}, idempotency_key="k")

    assert msgspec.structs.replace(second, replayed=False) == first
    assert (first.replayed, second.replayed) == (False, True)


async def test_each_operation_is_replayed(credits: CreditService, url: Database) -> None:
    """Ensure, consume, grant and a plan change are replayed and change nothing more."""
    calls = (
        lambda: credits.initialize_user_credits(ADA, label="Ada", idempotency_key="1"),
        lambda: credits.consume_credit(ADA, "video", idempotency_key="2"),
        lambda: credits.grant_credits(ADA, 5, features=["video"], idempotency_key="3"),
        lambda: credits.update_subscription_status(ADA, "pro", idempotency_key="4"),
        lambda: credits.update_subscription_status(ADA, "pro", idempotency_key="5"),
        lambda: credits.initialize_user_credits(ADA, idempotency_key="6"),
    )
    first = [await call() for call in calls]
    before = snapshot(url)

    second = [await call() for call in calls]

    assert all(answer.replayed for answer in second)
    assert [msgspec.structs.replace(answer, replayed=False) for answer in second] == first
    assert snapshot(url) == before


async def test_replayed_initialize_has_created(credits: CreditService) -> None:
    """The key of the call that created the account always gives `created`."""
    await credits.initialize_user_credits(ADA, idempotency_key="k")

    replay = await credits.initialize_user_credits(ADA, idempotency_key="k")

    assert (replay.created, replay.replayed, replay.version) == (True, True, 1)


@pytest.mark.parametrize("twist", ["feature", "generation", "metadata", "operation", "absent"])
async def test_key_with_other_request_is_conflict(credits: CreditService, url: Database, twist: str) -> None:
    """Any other request with the key is refused and changes nothing. A left-out field differs from a sent one."""
    await credits.initialize_user_credits(ADA)
    await credits.consume_credit(ADA, "video", generation_id="g", metadata={"n": 1}, idempotency_key="k")
    before = snapshot(url)
    others = {
        "feature": credits.consume_credit(ADA, "sketch", generation_id="g", metadata={"n": 1}, idempotency_key="k"),
        "generation": credits.consume_credit(ADA, "video", generation_id="G", metadata={"n": 1}, idempotency_key="k"),
        "metadata": credits.consume_credit(ADA, "video", generation_id="g", metadata={"n": "1"}, idempotency_key="k"),
        "operation": credits.grant_credits(ADA, 1, idempotency_key="k"),
        "absent": credits.consume_credit(ADA, "video", generation_id="g", idempotency_key="k"),
    }
    chosen = others.pop(twist)
    for other in others.values():
        other.close()

    with pytest.raises(IdempotencyConflictError) as refused:
        await chosen

    assert refused.value.idempotency_key == "k"
    assert snapshot(url) == before


async def test_sent_default_differs_from_left_out_field(credits: CreditService) -> None:
    """The fingerprint covers what was sent: a sent priority of 100 differs from none."""
    await credits.initialize_user_credits(ADA)
    await credits.grant_credits(ADA, 1, idempotency_key="k")

    with pytest.raises(IdempotencyConflictError):
        await credits.grant_credits(ADA, 1, priority=100, idempotency_key="k")


async def test_metadata_order_does_not_matter(credits: CreditService) -> None:
    """The same metadata in another order is the same request."""
    await credits.initialize_user_credits(ADA)
    await credits.consume_credit(ADA, "video", metadata={"a": 1, "b": 2}, idempotency_key="k")

    replay = await credits.consume_credit(ADA, "video", metadata={"b": 2, "a": 1}, idempotency_key="k")

    assert replay.replayed


async def test_keys_are_scoped_to_account(credits: CreditService) -> None:
    """Two accounts may use the same key."""
    for account_id in (ADA, BOB):
        await credits.initialize_user_credits(account_id, idempotency_key="k")

    used = [
        (await credits.consume_credit(account_id, "video", idempotency_key="u")).replayed for account_id in (ADA, BOB)
    ]

    assert used == [False, False]


async def test_similar_keys_are_distinct(credits: CreditService, url: Database) -> None:
    """Keys that differ in case, spaces or accents are distinct, and each is found replay."""
    await credits.initialize_user_credits(ADA)
    await credits.grant_credits(ADA, 100)
    keys = ("key", "KEY", "key ", " key", "k\u00e9", "ke\u0301", "🔑", "k/ey?", "k" * 255, "🔑" * 255, "%s", "'")

    first = [await credits.consume_credit(ADA, "video", idempotency_key=key) for key in keys]
    replay = [await credits.consume_credit(ADA, "video", idempotency_key=key) for key in keys]

    assert [answer.replayed for answer in first] == [False] * len(keys)
    assert [answer.replayed for answer in replay] == [True] * len(keys)
    assert count_uses(url, ADA) == len(keys)


async def test_fifty_concurrent_requests_with_one_key(credits: CreditService, url: Database) -> None:
    """Fifty concurrent calls with one key make one use and give the same result."""
    await credits.initialize_user_credits(ADA)

    answers = await asyncio.gather(*(credits.consume_credit(ADA, "video", idempotency_key="k") for _ in range(50)))

    assert sorted(answer.replayed for answer in answers) == [False] + [True] * 49
    assert {msgspec.json.encode(msgspec.structs.replace(answer, replayed=False)) for answer in answers} == {
        msgspec.json.encode(msgspec.structs.replace(answers[0], replayed=False))
    }
    assert ledger_of(url, ADA) == [(1, "signup", 6, 6), (2, "consume", -1, 5)]


async def test_different_concurrent_requests_with_one_key(credits: CreditService, url: Database) -> None:
    """Of different requests with one key one is accepted and the others are conflicts, also in one batch."""
    await credits.initialize_user_credits(ADA)
    features = ["video", "sketch", "interior", "exterior"] * 5

    outcomes = await asyncio.gather(
        *(credits.consume_credit(ADA, feature, idempotency_key="k") for feature in features), return_exceptions=True
    )

    receipts = [outcome for outcome in outcomes if isinstance(outcome, Receipt)]
    assert (len(receipts), len({receipt.transaction.feature_used for receipt in receipts})) == (5, 1)
    assert outcomes.count(IdempotencyConflictError("k")) == 15
    assert count_uses(url, ADA) == 1


async def test_key_survives_restart(url: Database) -> None:
    """A reopened service replays an old key."""
    async with CreditService(url) as service:
        await service.initialize_user_credits(ADA)
        first = await service.consume_credit(ADA, "video", metadata={"é": 1}, idempotency_key="k")

    async with CreditService(url) as service:
        replay = await service.consume_credit(ADA, "video", metadata={"é": 1}, idempotency_key="k")

    assert replay == msgspec.structs.replace(first, replayed=True)
    assert verify_clean(url).transactions == 2


async def test_refused_key_can_be_reused(credits: CreditService, url: Database) -> None:
    """A refused key may be used for another request."""
    await credits.initialize_user_credits(ADA)
    for _ in range(6):
        await credits.consume_credit(ADA, "video")
    with pytest.raises(InsufficientCreditsError):
        await credits.consume_credit(ADA, "video", idempotency_key="k")

    receipt = await credits.grant_credits(ADA, 3, idempotency_key="k")

    assert receipt.replayed is False


async def test_subclasses_of_text_count_as_text(credits: CreditService, url: Database) -> None:
    """Enumeration members and other subclasses of text are stored, hashed and replayed by their value."""
    await credits.initialize_user_credits(Room.ADA, label=Name("Ada"), idempotency_key=Name("1"))
    await credits.consume_credit(Room.ADA, Room.INTERIOR, generation_id=Name("g"), idempotency_key=Name("2"))
    await credits.grant_credits(Name(ADA), 1, reason=Name("r"), category=Name("paid"), features=[Room.INTERIOR])
    await credits.update_subscription_status(Room.ADA, Name("pro"), actor=Name("op"))

    replay = await credits.consume_credit(ADA, "interior", generation_id="g", idempotency_key="2")

    assert replay.replayed
    assert rows(url, "SELECT DISTINCT account_id, coalesce(feature_used, 'interior') FROM credit_transactions") == [
        (ADA, "interior")
    ]
    assert verify_clean(url).transactions == 4


async def test_key_is_shared_by_services(url: Database) -> None:
    """Two services over one database share their keys."""
    async with CreditService(Ledger(url)) as one, CreditService(Ledger(url)) as other:
        await one.initialize_user_credits(ADA)
        first = await one.consume_credit(ADA, "video", idempotency_key="k")

        replay = await other.consume_credit(ADA, "video", idempotency_key="k")

    assert replay == msgspec.structs.replace(first, replayed=True)
    verify_clean(url)

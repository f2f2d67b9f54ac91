"""A command in a transaction of the caller's, in every way to have one: it stands and falls with the caller's rows."""

from contextlib import suppress
from datetime import timedelta

import pytest

from sixpence.core.errors import InternalError
from sixpence.core.refusals import AccountNotFoundError, InsufficientCreditsError
from tests.ledger.caller_transactions.ways import ADA, BOB, ChangedMindError, Own, Way, notes, open_way
from tests.ledger.databases import ledger_of, rows
from tests.ledger.moved_clock import MovedClock

# The outbox, which is written last, takes nothing more.
REFUSE = {
    "sqlite": ["CREATE TRIGGER refuse BEFORE INSERT ON outbox BEGIN SELECT RAISE(ABORT, 'no'); END"],
    "postgresql": [
        "CREATE FUNCTION pg_temp.refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE check_violation; END'",
        "CREATE TRIGGER refuse BEFORE INSERT ON outbox FOR EACH ROW EXECUTE FUNCTION pg_temp.refuse()",
    ],
}


async def test_the_charge_commits_with_the_caller_s_rows(way: Way, noted_url: str) -> None:
    """After the commit both are there, and the receipt says what the balance is."""
    await way.ask("initialize_user_credits", ADA)

    async with way.begin() as own:
        await own.note("before")
        receipt = await own.ask("consume_credit", ADA, "video")
        await own.note("after")

    assert (receipt.transaction.amount, receipt.remaining, receipt.replayed) == (-3, 3, False)
    assert notes(noted_url) == ["after", "before"]
    assert ledger_of(noted_url, ADA) == [(1, "signup", 6, 6), (2, "consume", -3, 3)]


async def test_the_charge_rolls_back_with_the_caller_s_rows(way: Way, noted_url: str) -> None:
    """After the rollback neither is there, and its key is free again."""
    await way.ask("initialize_user_credits", ADA)

    with suppress(ChangedMindError):
        async with way.begin() as own:
            await own.note("before")
            await own.ask("consume_credit", ADA, "video", idempotency_key="k")
            raise ChangedMindError
    again = await way.ask("consume_credit", ADA, "sketch", idempotency_key="k")

    assert (again.remaining, again.replayed) == (5, False)
    assert notes(noted_url) == []
    assert ledger_of(noted_url, ADA) == [(1, "signup", 6, 6), (2, "consume", -1, 5)]


async def test_an_account_that_is_made_is_gone_with_the_transaction(way: Way, noted_url: str) -> None:
    """An account made in a transaction that is rolled back was never made."""
    with suppress(ChangedMindError):
        async with way.begin() as own:
            await own.ask("initialize_user_credits", ADA)
            raise ChangedMindError
    async with way.begin() as own:
        await own.ask("initialize_user_credits", BOB)
        await own.ask("consume_credit", BOB, "sketch")

    assert rows(noted_url, "SELECT account_id, seq FROM credit_accounts") == [(BOB, 2)]


async def test_nobody_sees_the_charge_before_the_commit(way: Way, noted_url: str) -> None:
    """While the transaction is open neither the ledger nor the outbox has anything of it; then each has a row."""
    await way.ask("initialize_user_credits", ADA)

    async with way.begin() as own:
        await own.ask("consume_credit", ADA, "video")
        meanwhile = ledger_of(noted_url, ADA), rows(noted_url, "SELECT touched FROM outbox")

    assert meanwhile == ([(1, "signup", 6, 6)], [(f'[["{ADA}",1,1]]',)])
    assert rows(noted_url, "SELECT touched FROM outbox ORDER BY 1") == [(f'[["{ADA}",{n},{n}]]',) for n in (1, 2)]


async def test_a_refusal_leaves_the_transaction_as_it_was(way: Way, noted_url: str) -> None:
    """What the caller did before stays, the transaction goes on, and nothing of the refused command is in it."""
    await way.ask("initialize_user_credits", ADA)

    async with way.begin() as own:
        await own.note("before")
        with pytest.raises(InsufficientCreditsError) as refused:
            await own.ask("place_hold", ADA, "video", amount=100)
        with pytest.raises(AccountNotFoundError):
            await own.ask("consume_credit", BOB, "video")
        await own.note("after")
        await own.ask("consume_credit", ADA, "sketch")

    assert (refused.value.required, refused.value.remaining) == (100, 6)
    assert notes(noted_url) == ["after", "before"]
    assert ledger_of(noted_url, ADA) == [(1, "signup", 6, 6), (2, "consume", -1, 5)]


async def test_a_refusal_shows_what_fell_due_and_leaves_it_to_others(way_name: str, noted_url: str) -> None:
    """It is decided with everything due applied, of which the caller's transaction keeps nothing."""
    clock = MovedClock()
    way = open_way(way_name, noted_url, clock=clock)
    await way.ask("initialize_user_credits", ADA)
    await way.ask("grant_credits", ADA, 5, expires_at=clock.moment + timedelta(hours=1))
    clock.move(hours=2)

    async with way.begin() as own:
        with pytest.raises(InsufficientCreditsError) as refused:
            await own.ask("place_hold", ADA, "video", amount=7)
    kept = ledger_of(noted_url, ADA)
    async with way.begin() as own:
        await own.ask("consume_credit", ADA, "sketch")
    await way.close()

    assert (refused.value.remaining, len(kept)) == (6, 2)
    assert ledger_of(noted_url, ADA)[2:] == [(3, "expire", -5, 6), (4, "consume", -1, 5)]


async def test_a_charge_that_cannot_be_stored_leaves_nothing(way: Way, way_name: str, noted_url: str) -> None:
    """The database refuses its last statement: those before it are undone, and the caller's transaction goes on."""
    await way.ask("initialize_user_credits", ADA)

    async with way.begin() as own:
        for statement in REFUSE["sqlite" if "sqlite" in way_name else "postgresql"]:
            await own.run(statement)
        with pytest.raises(InternalError):
            await own.ask("consume_credit", ADA, "video", idempotency_key="k")
        await own.run("DROP TRIGGER refuse" + ("" if "sqlite" in way_name else " ON outbox"))
        await own.note("after")
        again = await own.ask("consume_credit", ADA, "sketch", idempotency_key="k")

    assert (again.remaining, again.replayed, notes(noted_url)) == (5, False, ["after"])
    assert ledger_of(noted_url, ADA) == [(1, "signup", 6, 6), (2, "consume", -1, 5)]


async def test_a_key_of_either_way_replays_in_the_other(way: Way, noted_url: str) -> None:
    """Used outside, it is answered inside without a row; used inside, it is answered inside and outside."""
    await way.ask("initialize_user_credits", ADA)
    outside = await way.ask("consume_credit", ADA, "video", idempotency_key="out")

    async with way.begin() as own:
        replayed = await own.ask("consume_credit", ADA, "video", idempotency_key="out")
        inside = await own.ask("consume_credit", ADA, "sketch", idempotency_key="in")
        at_once = await own.ask("consume_credit", ADA, "sketch", idempotency_key="in")
    later = await way.ask("consume_credit", ADA, "sketch", idempotency_key="in")

    answers = [(receipt.transaction.id, receipt.replayed) for receipt in (replayed, at_once, later)]
    assert answers == [(receipt.transaction.id, True) for receipt in (outside, inside, inside)]
    assert ledger_of(noted_url, ADA) == [(1, "signup", 6, 6), (2, "consume", -3, 3), (3, "consume", -1, 2)]


async def test_two_accounts_in_one_transaction(way: Way, noted_url: str) -> None:
    """What one gives and another gets is one transaction."""
    for name in (ADA, BOB):
        await way.ask("initialize_user_credits", name)

    async with way.begin() as own:
        await own.ask("adjust", ADA, -2, reason="a gift", actor="shop")
        await own.ask("grant_credits", BOB, 2)

    assert [ledger_of(noted_url, name)[-1] for name in (ADA, BOB)] == [(2, "adjust", -2, 4), (2, "grant", 2, 8)]


async def test_every_operation_that_changes_credits(way: Way, noted_url: str) -> None:
    """Each runs in the transaction and sees what those before it did; all of them go with it, or stay."""
    with suppress(ChangedMindError):
        async with way.begin() as own:
            await every_operation(own)
            raise ChangedMindError
    undone = rows(noted_url, "SELECT count(*) FROM credit_accounts")
    async with way.begin() as own:
        await every_operation(own)

    assert undone == [(0,)]
    assert [kind for _, kind, _, _ in ledger_of(noted_url, ADA)] == [
        "signup",
        "hold",
        "hold_extend",
        "capture",
        "hold",
        "release",
        "consume",
        "refund",
        "grant",
        "void",
        "adjust",
        "freeze",
        "unfreeze",
        "plan_change",
        "plan_change",
        "close",
    ]


async def every_operation(own: Own) -> None:
    """Runs each of them once, on an account that it makes."""
    await own.ask("initialize_user_credits", ADA)
    placed = await own.ask("place_hold", ADA, "video")
    await own.ask("extend_hold", ADA, placed.hold_id, ttl_seconds=3600)
    await own.ask("capture_hold", ADA, placed.hold_id, amount=1)
    placed = await own.ask("place_hold", ADA, "video")
    await own.ask("release_hold", ADA, placed.hold_id)
    used = await own.ask("consume_credit", ADA, "sketch")
    await own.ask("refund", ADA, used.transaction.id)
    given = await own.ask("grant_credits", ADA, 4)
    await own.ask("void_grant", ADA, given.transaction.id)
    await own.ask("adjust", ADA, -1, reason="counted twice", actor="op@example.com")
    await own.ask("freeze_account", ADA)
    await own.ask("unfreeze_account", ADA)
    await own.ask("update_subscription_status", ADA, "pro")
    await own.ask("cancel_subscription", ADA)
    await own.ask("close_account", ADA)

"""A command in a caller's transaction, over every interface: it commits and rolls back with the caller's rows."""

from contextlib import suppress
from datetime import timedelta

import pytest

from sixpence.core.errors import InternalError
from sixpence.core.refusals import AccountNotFoundError, InsufficientCreditsError
from tests.ledger.caller_transactions.interfaces import (
    ADA,
    BOB,
    ChangedMindError,
    Interface,
    OpenTransaction,
    notes,
    open_interface,
)
from tests.ledger.databases import ledger_of, rows
from tests.ledger.moved_clock import MovedClock

# The outbox, which is written last, rejects inserts.
REFUSE = {
    "sqlite": ["CREATE TRIGGER refuse BEFORE INSERT ON outbox BEGIN SELECT RAISE(ABORT, 'no'); END"],
    "postgresql": [
        "CREATE FUNCTION pg_temp.refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE check_violation; END'",
        "CREATE TRIGGER refuse BEFORE INSERT ON outbox FOR EACH ROW EXECUTE FUNCTION pg_temp.refuse()",
    ],
}


async def test_charge_commits_with_the_caller_s_rows(interface: Interface, noted_url: str) -> None:
    """After the commit both are there, and the receipt has the balance."""
    await interface.call("initialize_user_credits", ADA)

    async with interface.begin() as transaction:
        await transaction.note("before")
        receipt = await transaction.call("consume_credit", ADA, "video")
        await transaction.note("after")

    assert (receipt.transaction.amount, receipt.remaining, receipt.replayed) == (-3, 3, False)
    assert notes(noted_url) == ["after", "before"]
    assert ledger_of(noted_url, ADA) == [(1, "signup", 6, 6), (2, "consume", -3, 3)]


async def test_charge_rolls_back_with_the_caller_s_rows(interface: Interface, noted_url: str) -> None:
    """After the rollback neither is there, and the key is free again."""
    await interface.call("initialize_user_credits", ADA)

    with suppress(ChangedMindError):
        async with interface.begin() as transaction:
            await transaction.note("before")
            await transaction.call("consume_credit", ADA, "video", idempotency_key="k")
            raise ChangedMindError
    again = await interface.call("consume_credit", ADA, "sketch", idempotency_key="k")

    assert (again.remaining, again.replayed) == (5, False)
    assert notes(noted_url) == []
    assert ledger_of(noted_url, ADA) == [(1, "signup", 6, 6), (2, "consume", -1, 5)]


async def test_created_account_rolls_back_with_the_transaction(interface: Interface, noted_url: str) -> None:
    """An account created in a transaction that is rolled back does not exist."""
    with suppress(ChangedMindError):
        async with interface.begin() as transaction:
            await transaction.call("initialize_user_credits", ADA)
            raise ChangedMindError
    async with interface.begin() as transaction:
        await transaction.call("initialize_user_credits", BOB)
        await transaction.call("consume_credit", BOB, "sketch")

    assert rows(noted_url, "SELECT account_id, seq FROM credit_accounts") == [(BOB, 2)]


async def test_charge_is_invisible_before_the_commit(interface: Interface, noted_url: str) -> None:
    """While the transaction is open neither the ledger nor the outbox has a row of it; then each has one."""
    await interface.call("initialize_user_credits", ADA)

    async with interface.begin() as transaction:
        await transaction.call("consume_credit", ADA, "video")
        meanwhile = ledger_of(noted_url, ADA), rows(noted_url, "SELECT touched FROM outbox")

    assert meanwhile == ([(1, "signup", 6, 6)], [(f'[["{ADA}",1,1]]',)])
    assert rows(noted_url, "SELECT touched FROM outbox ORDER BY 1") == [(f'[["{ADA}",{n},{n}]]',) for n in (1, 2)]


async def test_refusal_leaves_the_transaction_unchanged(interface: Interface, noted_url: str) -> None:
    """The caller's earlier rows stay, the transaction continues, and it has nothing of the refused command."""
    await interface.call("initialize_user_credits", ADA)

    async with interface.begin() as transaction:
        await transaction.note("before")
        with pytest.raises(InsufficientCreditsError) as refused:
            await transaction.call("place_hold", ADA, "video", amount=100)
        with pytest.raises(AccountNotFoundError):
            await transaction.call("consume_credit", BOB, "video")
        await transaction.note("after")
        await transaction.call("consume_credit", ADA, "sketch")

    assert (refused.value.required, refused.value.remaining) == (100, 6)
    assert notes(noted_url) == ["after", "before"]
    assert ledger_of(noted_url, ADA) == [(1, "signup", 6, 6), (2, "consume", -1, 5)]


async def test_refusal_shows_due_changes_without_writing_them(interface_name: str, noted_url: str) -> None:
    """It is decided after every due change, and the caller's transaction has none of these."""
    clock = MovedClock()
    interface = open_interface(interface_name, noted_url, clock=clock)
    await interface.call("initialize_user_credits", ADA)
    await interface.call("grant_credits", ADA, 5, expires_at=clock.moment + timedelta(hours=1))
    clock.move(hours=2)

    async with interface.begin() as transaction:
        with pytest.raises(InsufficientCreditsError) as refused:
            await transaction.call("place_hold", ADA, "video", amount=7)
    kept = ledger_of(noted_url, ADA)
    async with interface.begin() as transaction:
        await transaction.call("consume_credit", ADA, "sketch")
    await interface.close()

    assert (refused.value.remaining, len(kept)) == (6, 2)
    assert ledger_of(noted_url, ADA)[2:] == [(3, "expire", -5, 6), (4, "consume", -1, 5)]


async def test_rejected_charge_leaves_nothing(interface: Interface, interface_name: str, noted_url: str) -> None:
    """Its last statement is rejected: the earlier ones are rolled back, and the caller's transaction continues."""
    await interface.call("initialize_user_credits", ADA)

    async with interface.begin() as transaction:
        for statement in REFUSE["sqlite" if "sqlite" in interface_name else "postgresql"]:
            await transaction.run(statement)
        with pytest.raises(InternalError):
            await transaction.call("consume_credit", ADA, "video", idempotency_key="k")
        await transaction.run("DROP TRIGGER refuse" + ("" if "sqlite" in interface_name else " ON outbox"))
        await transaction.note("after")
        again = await transaction.call("consume_credit", ADA, "sketch", idempotency_key="k")

    assert (again.remaining, again.replayed, notes(noted_url)) == (5, False, ["after"])
    assert ledger_of(noted_url, ADA) == [(1, "signup", 6, 6), (2, "consume", -1, 5)]


async def test_keys_replay_inside_and_outside_transactions(interface: Interface, noted_url: str) -> None:
    """A key used outside replays inside without a row; one used inside replays in both."""
    await interface.call("initialize_user_credits", ADA)
    outside = await interface.call("consume_credit", ADA, "video", idempotency_key="out")

    async with interface.begin() as transaction:
        replayed = await transaction.call("consume_credit", ADA, "video", idempotency_key="out")
        inside = await transaction.call("consume_credit", ADA, "sketch", idempotency_key="in")
        at_once = await transaction.call("consume_credit", ADA, "sketch", idempotency_key="in")
    later = await interface.call("consume_credit", ADA, "sketch", idempotency_key="in")

    answers = [(receipt.transaction.id, receipt.replayed) for receipt in (replayed, at_once, later)]
    assert answers == [(receipt.transaction.id, True) for receipt in (outside, inside, inside)]
    assert ledger_of(noted_url, ADA) == [(1, "signup", 6, 6), (2, "consume", -3, 3), (3, "consume", -1, 2)]


async def test_two_accounts_in_one_transaction(interface: Interface, noted_url: str) -> None:
    """One account gives and another gets, in one transaction."""
    for name in (ADA, BOB):
        await interface.call("initialize_user_credits", name)

    async with interface.begin() as transaction:
        await transaction.call("adjust", ADA, -2, reason="a gift", actor="shop")
        await transaction.call("grant_credits", BOB, 2)

    assert [ledger_of(noted_url, name)[-1] for name in (ADA, BOB)] == [(2, "adjust", -2, 4), (2, "grant", 2, 8)]


async def test_every_operation_that_changes_credits(interface: Interface, noted_url: str) -> None:
    """Each runs in the transaction and sees the earlier ones; all of them commit or roll back."""
    with suppress(ChangedMindError):
        async with interface.begin() as transaction:
            await every_operation(transaction)
            raise ChangedMindError
    undone = rows(noted_url, "SELECT count(*) FROM credit_accounts")
    async with interface.begin() as transaction:
        await every_operation(transaction)

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


async def every_operation(transaction: OpenTransaction) -> None:
    """Run each of them once, on an account that it creates."""
    await transaction.call("initialize_user_credits", ADA)
    placed = await transaction.call("place_hold", ADA, "video")
    await transaction.call("extend_hold", ADA, placed.hold_id, ttl_seconds=3600)
    await transaction.call("capture_hold", ADA, placed.hold_id, amount=1)
    placed = await transaction.call("place_hold", ADA, "video")
    await transaction.call("release_hold", ADA, placed.hold_id)
    used = await transaction.call("consume_credit", ADA, "sketch")
    await transaction.call("refund", ADA, used.transaction.id)
    given = await transaction.call("grant_credits", ADA, 4)
    await transaction.call("void_grant", ADA, given.transaction.id)
    await transaction.call("adjust", ADA, -1, reason="counted twice", actor="op@example.com")
    await transaction.call("freeze_account", ADA)
    await transaction.call("unfreeze_account", ADA)
    await transaction.call("update_subscription_status", ADA, "pro")
    await transaction.call("cancel_subscription", ADA)
    await transaction.call("close_account", ADA)

"""Checkpoints and proven statements from Python, over both databases and in memory."""

import asyncio
from functools import partial

import msgspec
import pytest
from sqlalchemy import Connection

from sixpence.core.errors import CheckpointNotFoundError, InvalidInputError
from sixpence.core.proof.checkpoint import Checkpoint
from sixpence.core.proof.statement_proof import Checked, check
from sixpence.ledger.checkpoints.compare import Compared, Given, compare
from sixpence.ledger.checkpoints.signing import SigningKey, is_signed
from sixpence.ledger.checkpoints.storage import list_chunks
from sixpence.ledger.database.snapshot import snapshot
from sixpence.service.blocking import SyncCreditService
from sixpence.service.credits import CreditService
from sixpence.service.results.statements import CreditStatement
from tests.core.proof.proven import as_shown
from tests.ledger.databases import Database
from tests.ledger.moved_clock import START, MovedClock

ADA, BOB = "ada@example.com", "bob@example.com"
KEY = SigningKey("ab" * 32)


async def test_a_checkpoint_is_found_again(credits: CreditService) -> None:
    """By its number, and the newest without one."""
    await credits.initialize_user_credits(ADA)

    first, second = await credits.make_checkpoint(KEY), await credits.make_checkpoint(KEY)

    assert (first.number, first.transactions, second.number, second.previous) == (1, 1, 2, first.digest())
    assert await credits.get_checkpoint() == second
    assert await credits.get_checkpoint(1) == first


async def test_a_checkpoint_that_is_not_there_is_refused(credits: CreditService) -> None:
    """None yet, or none of this number."""
    with pytest.raises(CheckpointNotFoundError) as none_yet:
        await credits.get_checkpoint()
    await credits.make_checkpoint(KEY)
    with pytest.raises(CheckpointNotFoundError) as no_such:
        await credits.get_checkpoint(2)

    assert (none_yet.value, no_such.value) == (CheckpointNotFoundError(None), CheckpointNotFoundError(2))


async def test_what_is_no_key_or_number_is_refused(credits: CreditService) -> None:
    """By the field's name; nothing is signed."""
    await credits.initialize_user_credits(ADA)
    with pytest.raises(InvalidInputError) as no_key:
        await credits.make_checkpoint("ab" * 32)  # type: ignore[arg-type]
    with pytest.raises(InvalidInputError) as no_number:
        await credits.get_checkpoint(0)

    problem = "a str is no SigningKey. Take one: SigningKey.kept('signing_key')."
    assert no_key.value == InvalidInputError("signing_key", problem)
    assert no_number.value.field == "number"


async def test_checkpoints_are_made_while_credits_are_spent(credits: CreditService) -> None:
    """Each is over one moment of the whole ledger, and what came since goes on from there."""
    names = [f"user {place}" for place in range(8)]
    for name in names:
        await credits.initialize_user_credits(name)
    kept: list[Given] = []

    async def spend(name: str) -> None:
        for _ in range(6):
            await credits.consume_credit(name, "interior")

    async def sign() -> None:
        for _ in range(3):
            made = await credits.make_checkpoint(KEY)
            heads = await credits.ledger.read(partial(heads_of, number=made.number))
            kept.append(Given(f"file {made.number}", made, heads))

    await asyncio.gather(sign(), *map(spend, names))

    compared = await credits.ledger.read(lambda connection: compare(connection, kept, trusted=[KEY.public_key]))
    assert compared == Compared(3, compared=3)
    assert [each.checkpoint.number for each in kept] == [1, 2, 3]
    assert all(8 <= each.checkpoint.transactions <= 8 * 7 for each in kept)


def heads_of(connection: Connection, number: int) -> list[bytes]:
    """The heads that the ledger keeps of a checkpoint, as a file has them."""
    with snapshot(connection):
        return [chunk.heads for chunk in list_chunks(connection, number)]


def test_from_threads(url: Database) -> None:
    """The same without an event loop."""
    with SyncCreditService(url) as service:
        service.initialize_user_credits(ADA)

        made = service.make_checkpoint(KEY)

        assert isinstance(made, Checkpoint)
        assert service.get_checkpoint() == made


async def test_a_statement_carries_its_proof(credits: CreditService, clock: MovedClock) -> None:
    """With a checkpoint over the account it is borne out alone: all of it attested, and that it is whole."""
    for account_id in (ADA, BOB):
        await credits.initialize_user_credits(account_id)
    clock.move(hours=1)
    await credits.consume_credit(ADA, "interior", metadata={"room": "küche"})
    until = clock.move(hours=1)
    await credits.consume_credit(ADA, "interior")
    await credits.make_checkpoint(KEY)

    statement = await credits.get_statement(ADA, since=START, until=until)

    came = checked(statement)
    assert (came.attested_up_to, came.is_followed) == (3, True)
    assert [movement.kind for movement in came.statement.movements] == ["signup", "consume"]


async def test_what_came_after_the_checkpoint_is_told_apart(credits: CreditService, clock: MovedClock) -> None:
    """Its rows continue the chain from the account's head, wherever the period begins."""
    await credits.initialize_user_credits(ADA)
    await credits.make_checkpoint(KEY)
    for _ in range(3):
        clock.move(hours=1)
        await credits.consume_credit(ADA, "interior")

    came = checked(await credits.get_statement(ADA, since=clock.moment))

    assert (came.attested_up_to, came.statement.opening.version, len(came.statement.movements)) == (1, 3, 1)
    assert (came.is_followed, came.checkpoint.number) == (False, 1)
    before = checked(await credits.get_statement(ADA, since=START, until=clock.moment))
    assert (before.attested_up_to, len(before.statement.movements), before.is_followed) == (1, 3, False)


async def test_the_checkpoint_that_is_nearest_is_taken(credits: CreditService, clock: MovedClock) -> None:
    """Of those that still keep their heads the oldest that covers the period, so that few rows are shown."""
    await credits.initialize_user_credits(ADA)
    until = clock.move(hours=1)
    for _ in range(6):
        clock.move(hours=1)
        await credits.consume_credit(ADA, "interior")
        await credits.make_checkpoint(KEY)

    statement = await credits.get_statement(ADA, since=START, until=until)

    assert statement.proof is not None
    assert (statement.proof["checkpoint"]["number"], len(statement.proof["rows"])) == (3, 4)
    assert checked(statement).attested_up_to == 4


async def test_an_account_that_no_checkpoint_covers_has_no_proof(credits: CreditService) -> None:
    """Neither without any checkpoint, nor when it came after the newest."""
    await credits.initialize_user_credits(ADA)
    before = await credits.get_statement(ADA)
    await credits.make_checkpoint(KEY)
    await credits.initialize_user_credits(BOB)

    after = await credits.get_statement(BOB)

    assert (before.proof, after.proof) == (None, None)


async def test_a_statement_in_which_nothing_happened_is_borne_out(credits: CreditService, clock: MovedClock) -> None:
    """The row before it and the one after it show that."""
    await credits.initialize_user_credits(ADA)
    since, until = clock.move(hours=1), clock.move(hours=1)
    await credits.consume_credit(ADA, "interior")
    await credits.make_checkpoint(KEY)

    came = checked(await credits.get_statement(ADA, since=since, until=until))

    assert (came.statement.movements, came.statement.closing.remaining, came.is_followed) == ((), 6, True)


async def test_each_of_many_accounts_has_its_own_path(credits: CreditService) -> None:
    """Wherever its number stands among the others'."""
    names = [f"user {place}" for place in range(33)]
    for name in names:
        await credits.initialize_user_credits(name)
    await credits.make_checkpoint(KEY)

    came = [checked(await credits.get_statement(name)) for name in names]

    assert [each.statement.account_id for each in came] == names
    assert {each.attested_up_to for each in came} == {1}


def checked(statement: CreditStatement) -> Checked:
    """What the statement's document, as it is sent, bears out by itself."""
    document = msgspec.json.decode(msgspec.json.encode(statement))
    return check(document, is_signed=is_signed, as_shown=as_shown)

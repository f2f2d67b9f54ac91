"""Checkpoints and statement proofs from Python, over every database."""

import asyncio
from functools import partial

import msgspec
import pytest
from sqlalchemy import Connection

from sixpence.core.errors import CheckpointNotFoundError, InvalidInputError
from sixpence.core.proof.checkpoint import Checkpoint
from sixpence.core.proof.statement_proof import VerifiedStatement, check
from sixpence.ledger.checkpoints.compare import Comparison, ExternalCheckpoint, compare
from sixpence.ledger.checkpoints.signing import SigningKey, is_signed
from sixpence.ledger.checkpoints.storage import list_chunks
from sixpence.ledger.database.snapshot import snapshot
from sixpence.service.blocking import SyncCreditService
from sixpence.service.credits import CreditService
from sixpence.service.results.statements import CreditStatement
from tests.core.proof.signed_statement import to_document
from tests.ledger.databases import Database
from tests.ledger.moved_clock import START, MovedClock

ADA, BOB = "ada@example.com", "bob@example.com"
KEY = SigningKey("ab" * 32)


async def test_get_checkpoint_by_number_or_newest(credits: CreditService) -> None:
    """A checkpoint is found by its number; without a number it is the newest."""
    await credits.initialize_user_credits(ADA)

    first, second = await credits.make_checkpoint(KEY), await credits.make_checkpoint(KEY)

    assert (first.number, first.transactions, second.number, second.previous) == (1, 1, 2, first.digest())
    assert await credits.get_checkpoint() == second
    assert await credits.get_checkpoint(1) == first


async def test_missing_checkpoint_is_refused(credits: CreditService) -> None:
    """Without any checkpoint, and with an unknown number."""
    with pytest.raises(CheckpointNotFoundError) as none_yet:
        await credits.get_checkpoint()
    await credits.make_checkpoint(KEY)
    with pytest.raises(CheckpointNotFoundError) as no_such:
        await credits.get_checkpoint(2)

    assert (none_yet.value, no_such.value) == (CheckpointNotFoundError(None), CheckpointNotFoundError(2))


async def test_invalid_key_and_number_are_refused(credits: CreditService) -> None:
    """The refusal has the field's name, and nothing is signed."""
    await credits.initialize_user_credits(ADA)
    with pytest.raises(InvalidInputError) as no_key:
        await credits.make_checkpoint("ab" * 32)  # type: ignore[arg-type]
    with pytest.raises(InvalidInputError) as no_number:
        await credits.get_checkpoint(0)

    problem = "a str is not a SigningKey. Send one: SigningKey.kept('signing_key')."
    assert no_key.value == InvalidInputError("signing_key", problem)
    assert no_number.value.field == "number"


async def test_checkpoints_are_made_during_charges(credits: CreditService) -> None:
    """Each covers one moment of the whole ledger, and later transactions continue from it."""
    names = [f"user {place}" for place in range(8)]
    for name in names:
        await credits.initialize_user_credits(name)
    files: list[ExternalCheckpoint] = []

    async def spend(name: str) -> None:
        for _ in range(6):
            await credits.consume_credit(name, "interior")

    async def sign() -> None:
        for _ in range(3):
            made = await credits.make_checkpoint(KEY)
            heads = await credits.ledger.read(partial(heads_of, number=made.number))
            files.append(ExternalCheckpoint(f"file {made.number}", made, heads))

    await asyncio.gather(sign(), *map(spend, names))

    compared = await credits.ledger.read(lambda connection: compare(connection, files, trusted=[KEY.public_key]))
    assert compared == Comparison(3, compared=3)
    assert [each.checkpoint.number for each in files] == [1, 2, 3]
    assert all(8 <= each.checkpoint.transactions <= 8 * 7 for each in files)


def heads_of(connection: Connection, number: int) -> list[bytes]:
    """The chain heads of a checkpoint in the ledger, as a file has them."""
    with snapshot(connection):
        return [chunk.heads for chunk in list_chunks(connection, number)]


def test_sync_service_makes_checkpoints(url: Database) -> None:
    """It works without an event loop."""
    with SyncCreditService(url) as service:
        service.initialize_user_credits(ADA)

        made = service.make_checkpoint(KEY)

        assert isinstance(made, Checkpoint)
        assert service.get_checkpoint() == made


async def test_statement_has_its_proof(credits: CreditService, clock: MovedClock) -> None:
    """With a checkpoint over the account the proof shows that every row is signed and none is missing."""
    for account_id in (ADA, BOB):
        await credits.initialize_user_credits(account_id)
    clock.move(hours=1)
    await credits.consume_credit(ADA, "interior", metadata={"room": "küche"})
    until = clock.move(hours=1)
    await credits.consume_credit(ADA, "interior")
    await credits.make_checkpoint(KEY)

    statement = await credits.get_statement(ADA, since=START, until=until)

    verified = checked(statement)
    assert (verified.attested_up_to, verified.is_followed) == (3, True)
    assert [movement.kind for movement in verified.statement.movements] == ["signup", "consume"]


async def test_rows_after_checkpoint_are_not_attested(credits: CreditService, clock: MovedClock) -> None:
    """Rows after the checkpoint continue the chain from the account's head, wherever the period begins."""
    await credits.initialize_user_credits(ADA)
    await credits.make_checkpoint(KEY)
    for _ in range(3):
        clock.move(hours=1)
        await credits.consume_credit(ADA, "interior")

    verified = checked(await credits.get_statement(ADA, since=clock.moment))

    assert (verified.attested_up_to, verified.statement.opening.version, len(verified.statement.movements)) == (1, 3, 1)
    assert (verified.is_followed, verified.checkpoint.number) == (False, 1)
    before = checked(await credits.get_statement(ADA, since=START, until=clock.moment))
    assert (before.attested_up_to, len(before.statement.movements), before.is_followed) == (1, 3, False)


async def test_proof_uses_oldest_covering_checkpoint(credits: CreditService, clock: MovedClock) -> None:
    """Of the checkpoints with stored heads it uses the oldest that covers the period, so that it has few rows."""
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


async def test_account_without_checkpoint_has_no_proof(credits: CreditService) -> None:
    """A statement has no proof without a checkpoint, nor if the account is newer than the checkpoint."""
    await credits.initialize_user_credits(ADA)
    before = await credits.get_statement(ADA)
    await credits.make_checkpoint(KEY)
    await credits.initialize_user_credits(BOB)

    after = await credits.get_statement(BOB)

    assert (before.proof, after.proof) == (None, None)


async def test_empty_statement_has_proof(credits: CreditService, clock: MovedClock) -> None:
    """The rows before and after an empty period prove it."""
    await credits.initialize_user_credits(ADA)
    since, until = clock.move(hours=1), clock.move(hours=1)
    await credits.consume_credit(ADA, "interior")
    await credits.make_checkpoint(KEY)

    verified = checked(await credits.get_statement(ADA, since=since, until=until))

    assert (verified.statement.movements, verified.statement.closing.remaining, verified.is_followed) == ((), 6, True)


async def test_proof_path_of_each_of_many_accounts(credits: CreditService) -> None:
    """Each account has a valid path, whatever its place among the others."""
    names = [f"user {place}" for place in range(33)]
    for name in names:
        await credits.initialize_user_credits(name)
    await credits.make_checkpoint(KEY)

    verified = [checked(await credits.get_statement(name)) for name in names]

    assert [each.statement.account_id for each in verified] == names
    assert {each.attested_up_to for each in verified} == {1}


def checked(statement: CreditStatement) -> VerifiedStatement:
    """Verifies the statement's document as it is sent, without the database."""
    document = msgspec.json.decode(msgspec.json.encode(statement))
    return check(document, is_signed=is_signed, to_document=to_document)

"""Comparing a ledger with checkpoints: changes that leave the ledger consistent, and changes of the checkpoints."""

import json

import msgspec
import pytest

from sixpence.core.account.transaction import Transaction
from sixpence.core.proof.checkpoint import Checkpoint, write_checkpoint
from sixpence.ledger.checkpoints.compare import CHANGED_ACCOUNTS_MAX, Comparison, ExternalCheckpoint
from tests.ledger.checkpoints.checkpoints import KEY, compared, kept_elsewhere, sign, use
from tests.ledger.databases import rows, run, verify_clean
from tests.ledger.moved_clock import MovedClock
from tests.ledger.verify.forger import forge
from tests.ledger.writer.worker_driver import ADA

pytestmark = pytest.mark.slow

BOB = "bob@example.com"
ONE = "checkpoint 1 of 2026-03-01T12:00:00.000000Z"
TWO = "checkpoint 2 of 2026-03-01T12:00:00.000000Z"


@pytest.fixture
def first(url: str, clock: MovedClock) -> Checkpoint:
    """A checkpoint over Ada's account, with four transactions."""
    use(url, clock, ADA, times=3)
    return sign(url, clock)


def cut_off(transactions: list[Transaction]) -> list[Transaction]:
    """The newest two are gone."""
    return transactions[:-2]


def forget_in_the_outbox(url: str, seq: int) -> None:
    """The outbox ends with that transaction of Ada's, as if it were the last."""
    run(url, "DELETE FROM outbox WHERE id > (SELECT min(id) FROM outbox)")
    run(url, "UPDATE outbox SET touched = :touched", {"touched": json.dumps([[ADA, 1, seq]])})


def rewritten(transactions: list[Transaction]) -> list[Transaction]:
    """The second was of another generation."""
    return [msgspec.structs.replace(row, generation_id="another") if row.seq == 2 else row for row in transactions]


def test_newer_transactions_are_no_difference(url: str, clock: MovedClock, first: Checkpoint) -> None:
    """New transactions and new accounts after a checkpoint are no difference."""
    outside = kept_elsewhere(url, first)
    use(url, clock, ADA, BOB, times=1)

    assert compared(url) == Comparison(1, compared=1)
    assert compared(url, outside) == Comparison(1, compared=1)


def test_ledger_without_checkpoints_gives_nothing(url: str, clock: MovedClock) -> None:
    """There is neither a difference nor a note about keys."""
    use(url, clock, ADA)

    assert compared(url, trusted=()) == Comparison()


def test_cut_off_tail_is_found(url: str, first: Checkpoint) -> None:
    """The ledger that is left is right in itself; the checkpoint says up to where it went."""
    forge(url, cut_off)
    forget_in_the_outbox(url, 2)

    differences = compared(url).differences

    assert verify_clean(url).transactions == 2
    assert differences == [
        f"account '{ADA}': {ONE} covers its transactions up to 4, and they end at 2: "
        "the newest were removed, or an older copy of the database was restored"
    ]


def test_replaced_tail_is_found(url: str, clock: MovedClock, first: Checkpoint) -> None:
    """Other transactions in the same places are others."""
    forge(url, cut_off)
    forget_in_the_outbox(url, 2)
    use(url, clock, ADA, times=2)
    clock.move(seconds=1)
    forge(url, rewritten)

    differences = compared(url).differences

    assert verify_clean(url).transactions == 4
    assert differences == [f"account '{ADA}': transaction 4 is not the one that {ONE} covers: its ledger was rewritten"]


def test_rewritten_chain_is_found(url: str, first: Checkpoint) -> None:
    """A row in the middle was changed and every hash after it made to fit."""
    forge(url, rewritten)

    differences = compared(url).differences

    assert verify_clean(url).transactions == 4
    assert differences == [f"account '{ADA}': transaction 4 is not the one that {ONE} covers: its ledger was rewritten"]


def test_removed_account_is_found(url: str, clock: MovedClock) -> None:
    """With all its rows, as if it had never been; the other one is as it was."""
    use(url, clock, ADA, BOB)
    sign(url, clock)
    number = rows(url, "SELECT account_no FROM credit_accounts WHERE account_id = :id", {"id": BOB})[0][0]
    for table in ("credit_transactions", "credit_accounts"):
        run(url, f"DELETE FROM {table} WHERE account_id = :id", {"id": BOB})

    differences = compared(url).differences

    assert verify_clean(url).accounts == 1
    assert differences == [
        f"account number {number}: {ONE} covers 2 transactions of it, and all are missing: the account was removed"
    ]


def test_restored_older_copy_is_found(url: str, clock: MovedClock, first: Checkpoint) -> None:
    """Checkpoints and rows are old ones: only an external checkpoint shows the loss, and every lost account."""
    use(url, clock, ADA, BOB)
    outside = kept_elsewhere(url, sign(url, clock))
    number = rows(url, "SELECT account_no FROM credit_accounts WHERE account_id = :id", {"id": BOB})[0][0]
    forge(url, lambda transactions: transactions[:4])
    for table in ("checkpoints", "checkpoint_heads"):
        run(url, f"DELETE FROM {table} WHERE number = 2")

    with_the_file = compared(url, outside).differences

    assert compared(url).differences == []
    assert with_the_file[0] == (
        f"monday: {TWO} is not in the ledger: an older copy was restored, or the file is of another ledger"
    )
    assert sorted(with_the_file[1:]) == [
        f"monday: account '{ADA}': {TWO} covers its transactions up to 5, and they end at 4: "
        "the newest were removed, or an older copy of the database was restored",
        f"monday: account number {number}: {TWO} covers 2 transactions of it, and all are missing: "
        "the account was removed",
    ]


def test_a_restored_copy_in_which_no_account_lost_anything(url: str, clock: MovedClock, first: Checkpoint) -> None:
    """The checkpoint itself is missed."""
    outside = kept_elsewhere(url, sign(url, clock))
    for table in ("checkpoints", "checkpoint_heads"):
        run(url, f"DELETE FROM {table} WHERE number = 2")

    assert compared(url, outside).differences == [
        f"monday: {TWO} is not in the ledger: an older copy was restored, or the file is of another ledger"
    ]


def test_second_checkpoint_of_the_same_number_is_found(url: str, clock: MovedClock, first: Checkpoint) -> None:
    """After a restore the number is used again; the external copy of the first one differs."""
    outside = kept_elsewhere(url, sign(url, clock))
    for table in ("checkpoints", "checkpoint_heads"):
        run(url, f"DELETE FROM {table} WHERE number = 2")
    clock.move(seconds=1)
    sign(url, clock)

    assert compared(url).differences == []
    assert compared(url, outside).differences == [
        f"monday: {TWO} is not the one that the ledger has: it was restored or rewritten, and signed again since"
    ]


def test_external_heads_show_a_change_after_the_ledgers_are_deleted(
    url: str, clock: MovedClock, first: Checkpoint
) -> None:
    """Somebody who has the key rewrites the ledger and signs so often that the old heads are deleted."""
    outside = kept_elsewhere(url, first)
    forge(url, rewritten)
    run(url, "DELETE FROM checkpoint_heads")
    run(url, "DELETE FROM checkpoints")
    for _ in range(5):
        sign(url, clock)
    run(url, "UPDATE checkpoints SET document = :document WHERE number = 1", {"document": write_checkpoint(first)})

    differences = compared(url, outside).differences

    assert (
        f"monday: account '{ADA}': transaction 4 is not the one that {ONE} covers: its ledger was rewritten"
        in differences
    )


def test_a_file_without_heads_that_are_not_kept_either(url: str, clock: MovedClock, first: Checkpoint) -> None:
    """Its place in the chain is all there is to compare, which a note says."""
    for _ in range(4):
        sign(url, clock)

    comparison = compared(url, ExternalCheckpoint("monday", first))

    assert comparison == Comparison(
        5,
        [],
        [
            f"monday: {ONE} is in the chain of checkpoints; neither the file nor the ledger has its heads, so "
            "accounts were compared with newer checkpoints only"
        ],
        1,
    )


@pytest.mark.parametrize("number", [1, 2])
def test_a_document_without_heads_hides_nothing(url: str, clock: MovedClock, first: Checkpoint, number: int) -> None:
    """Missing heads are a difference, with an external document or without."""
    document = {1: first, 2: sign(url, clock)}[number]
    forge(url, cut_off)
    run(url, "DELETE FROM checkpoint_heads")

    alone, beside = compared(url).differences, compared(url, ExternalCheckpoint("monday", document)).differences

    gone = [f"{name}: its heads, 0 of 1, are not those that were signed" for name in (TWO, ONE)]
    assert alone == gone
    assert sorted(beside) == sorted(line if f"checkpoint {number} " not in line else f"monday: {line}" for line in gone)


def test_a_document_without_heads_that_the_ledger_does_not_know(url: str, clock: MovedClock, first: Checkpoint) -> None:
    """It is a difference, and the ledger is still compared with its own newest."""
    outside = sign(url, clock)
    for table in ("checkpoints", "checkpoint_heads"):
        run(url, f"DELETE FROM {table} WHERE number = 2")
    forge(url, cut_off)

    assert compared(url, ExternalCheckpoint("monday", outside)).differences == [
        f"monday: {TWO} is not in the ledger: an older copy was restored, or the file is of another ledger",
        f"account '{ADA}': {ONE} covers its transactions up to 4, and they end at 2: "
        "the newest were removed, or an older copy of the database was restored",
    ]


def test_external_heads_do_not_replace_missing_ones(url: str, first: Checkpoint) -> None:
    """The ledger's own heads are looked at also where a file has the same ones."""
    outside = kept_elsewhere(url, first)
    run(url, "DELETE FROM checkpoint_heads")

    assert compared(url, outside).differences == [f"{ONE}: its heads, 0 of 1, are not those that were signed"]


def test_trusted_key_without_checkpoints_gives_a_note(url: str, clock: MovedClock) -> None:
    """A note says that the trusted key has signed nothing."""
    use(url, clock, ADA)

    assert compared(url) == Comparison(
        notes=["no checkpoint signs this ledger"],
    )


def test_changed_accounts_are_limited(url: str, clock: MovedClock) -> None:
    """At most a hundred changed accounts of one checkpoint are reported."""
    use(url, clock, *(f"{number}@example.com" for number in range(CHANGED_ACCOUNTS_MAX + 3)))
    sign(url, clock)
    run(url, "DELETE FROM credit_transactions WHERE seq = 2")

    differences = compared(url).differences

    assert len(differences) == CHANGED_ACCOUNTS_MAX
    assert all("and they end at 1" in difference for difference in differences)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("DELETE FROM checkpoint_heads", f"{TWO}: its heads, 0 of 1, are not those that were signed"),
        (
            "UPDATE checkpoint_heads SET heads = (SELECT head FROM credit_accounts)",
            f"{TWO}: its heads cannot be read: 32 bytes are no whole number of heads",
        ),
        (
            "UPDATE checkpoint_heads SET root = 'a', heads = 'h'",
            f"{TWO}: its heads cannot be read: 1 bytes are no whole number of heads",
        ),
        (
            "UPDATE checkpoint_heads SET root = heads",
            f"{TWO}: part 1 of its heads has a wrong number, first account or root",
        ),
        (
            "UPDATE checkpoint_heads SET first_account_no = first_account_no + 1",
            f"{TWO}: part 1 of its heads has a wrong number, first account or root",
        ),
        (
            "UPDATE checkpoint_heads SET root = heads WHERE number = 1",
            f"{ONE}: part 1 of its heads has a wrong number, first account or root",
        ),
        (
            "UPDATE checkpoint_heads SET chunk = 1 WHERE number = 2",
            f"{TWO}: part 1 of its heads has a wrong number, first account or root",
        ),
        ("DELETE FROM checkpoints WHERE number = 1", f"{TWO}: checkpoint 1 should come before it, and is missing"),
        (
            "UPDATE checkpoints SET made_at = made_at + 1 WHERE number = 2",
            f"{TWO}: it is stored under another number or time than its own",
        ),
        (
            r"""UPDATE checkpoints SET document = replace(document, '"accounts"\:1', '"accounts"\:2')""",
            f"{ONE}: its signature does not hold: a field, the key or the signature was changed",
        ),
        (
            "UPDATE checkpoints SET document = '{}' WHERE number = 1",
            "checkpoint 1 of the ledger cannot be read (Object missing required field `format`). "
            "Give the document as it was made.",
        ),
    ],
)
def test_checkpoints_that_were_changed(
    url: str, clock: MovedClock, first: Checkpoint, change: str, expected: str
) -> None:
    """What was done to the checkpoints themselves is the first difference."""
    sign(url, clock)
    assert compared(url).differences == []

    run(url, change)

    assert compared(url).differences[0] == expected


def test_a_checkpoint_that_does_not_follow_the_one_before(url: str, clock: MovedClock, first: Checkpoint) -> None:
    """One of another chain, well signed, in the place of the first."""
    second = sign(url, clock)
    forged = msgspec.structs.replace(first, transactions=first.transactions, root="00" * 32)
    forged = msgspec.structs.replace(forged, signature=KEY.sign(forged.signed_bytes()))
    run(url, "UPDATE checkpoints SET document = :document WHERE number = 1", {"document": write_checkpoint(forged)})

    assert second.previous == first.digest()
    assert compared(url).differences == [
        f"{TWO}: it does not follow the checkpoint before it",
        f"{ONE}: its heads, 1 of 1, are not those that were signed",
    ]

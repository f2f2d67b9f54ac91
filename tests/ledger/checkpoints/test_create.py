"""Creating checkpoints: what is signed and stored, what is deleted, and when nothing is signed."""

from tempfile import TemporaryFile

import msgspec
import pytest

from sixpence.core.errors import CheckpointRefusedError
from sixpence.core.proof import merkle
from sixpence.core.proof.checkpoint import (
    HEAD_BYTES,
    HEADS_PER_CHUNK,
    NO_PREVIOUS,
    Checkpoint,
    Head,
    leaf_hashes,
    unpack_heads,
)
from sixpence.core.proof.statement_proof import check
from sixpence.ledger.checkpoints import create
from sixpence.ledger.checkpoints.signing import is_signed
from sixpence.ledger.ledger import Ledger
from sixpence.service.blocking import SyncCreditService
from tests.core.proof.signed_statement import to_document
from tests.ledger.checkpoints.checkpoints import KEY, OTHER_KEY, chunks, compared, sign, use
from tests.ledger.databases import rows, run
from tests.ledger.moved_clock import MovedClock

ADA, BOB = "ada@example.com", "bob@example.com"


def heads(url: str) -> list[Head]:
    """Every account's head, in the order of the numbers."""
    query = "SELECT account_no, seq, head FROM credit_accounts ORDER BY account_no"
    return [Head(*row) for row in rows(url, query)]


def test_a_checkpoint_is_over_every_accounts_head(url: str, clock: MovedClock) -> None:
    """It counts accounts and transactions, its root is the heads', its signature holds, and the heads are kept."""
    use(url, clock, ADA, BOB)
    use(url, clock, ADA)

    made = sign(url, clock)

    (kept,) = chunks(url, 1)
    assert unpack_heads(kept) == heads(url)
    assert msgspec.structs.replace(made, signature="") == Checkpoint(
        format=1,
        number=1,
        made_at="2026-03-01T12:00:00.000000Z",
        accounts=2,
        transactions=5,
        root=merkle.root_of(leaf_hashes(kept)).hex(),
        previous=NO_PREVIOUS,
        public_key=KEY.public_key,
        signature="",
    )
    assert is_signed(made.public_key, made.signature, made.signed_bytes())


def test_checkpoints_form_a_chain(url: str, clock: MovedClock) -> None:
    """Each names the one before, also when the key was changed in between; nothing is wrong with any of them."""
    use(url, clock, ADA)
    first = sign(url, clock)
    use(url, clock, ADA, BOB)

    second = sign(url, clock, OTHER_KEY)

    assert (second.number, second.previous, second.transactions) == (2, first.digest(), 5)
    assert compared(url, trusted=[KEY.public_key, OTHER_KEY.public_key]).differences == []


def test_an_empty_ledger_has_a_checkpoint(url: str, clock: MovedClock) -> None:
    """Its root is that of a tree without leaves."""
    made = sign(url, clock)

    assert (made.accounts, made.transactions, made.root) == (0, 0, merkle.EMPTY.hex())
    assert compared(url).differences == []


def test_the_newest_four_keep_their_heads(url: str, clock: MovedClock) -> None:
    """Older ones have their documents only."""
    use(url, clock, ADA)

    for _ in range(6):
        sign(url, clock)

    assert rows(url, "SELECT number FROM checkpoint_heads ORDER BY number") == [(3,), (4,), (5,), (6,)]
    assert rows(url, "SELECT number FROM checkpoints ORDER BY number") == [(n,) for n in range(1, 7)]
    assert compared(url).differences == []


def test_unfinished_heads_are_deleted(url: str, clock: MovedClock) -> None:
    """The heads of an interrupted creation are deleted."""
    use(url, clock, ADA)
    left = "INSERT INTO checkpoint_heads (number, chunk, first_account_no, root, heads) VALUES (1, 7, 0, :root, :heads)"
    run(url, left, {"root": bytes(32), "heads": bytes(HEAD_BYTES)})

    sign(url, clock)

    assert rows(url, "SELECT number, chunk FROM checkpoint_heads") == [(1, 0)]


def test_many_accounts_are_kept_some_thousand_in_a_row(url: str, clock: MovedClock) -> None:
    """The root over the rows' roots is that over all heads, and a path leads there from the second row, too."""
    use(url, clock, ADA)
    columns = "account_no, account_id, seq, head"
    seq, head = rows(url, "SELECT seq, head FROM credit_accounts")[0]
    count = HEADS_PER_CHUNK + 3
    copies = ", ".join(f"({place}, 'copy {place}', {seq}, :head)" for place in range(1, count))
    run(url, f"INSERT INTO credit_accounts ({columns}) VALUES {copies}", {"head": head})

    made = sign(url, clock)

    kept = chunks(url, 1)
    assert [len(chunk) // HEAD_BYTES for chunk in kept] == [HEADS_PER_CHUNK, 3]
    assert made.root == merkle.root_of(leaf_hashes(b"".join(kept))).hex()
    # Ada's number is the greatest, so her place is in the second row.
    with SyncCreditService(Ledger(url, clock=clock)) as service:
        document = msgspec.json.decode(msgspec.json.encode(service.get_statement(ADA)))
    assert document["proof"]["place"] == count - 1
    assert check(document, is_signed=is_signed, to_document=to_document).attested_up_to == 2
    assert (made.accounts, made.transactions) == (count, 2 * count)


def test_nothing_is_signed_over_a_ledger_that_was_changed(url: str, clock: MovedClock) -> None:
    """A ledger that lost a row since the last checkpoint is refused in words, and nothing is kept of the attempt."""
    use(url, clock, ADA, times=3)
    first = sign(url, clock)
    run(url, "DELETE FROM credit_transactions WHERE seq = 4")
    before = rows(url, "SELECT number, chunk FROM checkpoint_heads")

    with pytest.raises(CheckpointRefusedError) as refused:
        sign(url, clock)

    assert str(refused.value) == (
        f"Nothing was signed: account '{ADA}': checkpoint 1 of {first.made_at} covers its transactions up to 4, and "
        "they end at 3: the newest were removed, or an older copy of the database was restored. See: sixpence verify."
    )
    assert rows(url, "SELECT number, chunk FROM checkpoint_heads") == before
    assert rows(url, "SELECT count(*) FROM checkpoints") == [(1,)]


def test_invalid_head_is_not_signed(url: str, clock: MovedClock) -> None:
    """The message names the account with a cut-off head."""
    use(url, clock, ADA)
    run(url, "UPDATE credit_accounts SET head = :head", {"head": b"short"})

    with pytest.raises(CheckpointRefusedError, match=r"account number \d+ has an invalid head"):
        sign(url, clock)


def test_concurrent_checkpoints_do_not_mix(url: str, clock: MovedClock) -> None:
    """The slower one is refused and stores nothing."""
    use(url, clock, ADA)
    with SyncCreditService(Ledger(url, clock=clock)) as service:
        slow, quick = service.ledger, service
        with TemporaryFile() as spool:
            taken = slow.read_and_wait(lambda c: create.collect_heads(c, spool, now=clock()))
            made = quick.make_checkpoint(KEY)
            with pytest.raises(CheckpointRefusedError, match="checkpoint 1 was being made by somebody else"):
                slow.write_and_wait(lambda c: create.store_chunk(c, taken, 0, spool))
            with pytest.raises(CheckpointRefusedError, match="checkpoint 1 was being made by somebody else"):
                slow.write_and_wait(lambda c: create.store_checkpoint(c, taken, taken.sign(OTHER_KEY)))

    assert rows(url, "SELECT number FROM checkpoints") == [(made.number,)]
    assert compared(url).differences == []

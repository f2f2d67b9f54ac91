"""External checkpoints: changed files, and the keys that are trusted."""

import msgspec
import pytest

from sixpence.core.proof.checkpoint import Checkpoint
from sixpence.ledger.checkpoints.compare import ExternalCheckpoint
from tests.ledger.checkpoints.checkpoints import KEY, NOTE, OTHER_KEY, chunks, compared, sign
from tests.ledger.checkpoints.test_compare import ONE, first
from tests.ledger.moved_clock import MovedClock

__all__ = ["first"]


@pytest.mark.parametrize("damage", ["one head", "two chunks", "no heads", "a longer one"])
def test_a_file_whose_heads_were_changed(url: str, clock: MovedClock, first: Checkpoint, damage: str) -> None:
    """Only the heads that were signed lead to the root, so no account is compared with others."""
    (packed,) = chunks(url, 1)
    damaged = {
        "one head": [packed[:-1] + bytes([packed[-1] ^ 1])],
        "two chunks": [packed, packed],
        "no heads": [],
        "a longer one": [packed + packed],
    }[damage]

    (difference,) = compared(url, ExternalCheckpoint("monday", first, damaged)).differences

    assert difference.startswith(f"monday: {ONE}: its heads")


def test_a_file_that_was_changed(url: str, first: Checkpoint) -> None:
    """A field of the document that is another is no longer signed."""
    changed = msgspec.structs.replace(first, transactions=5)

    assert compared(url, ExternalCheckpoint("monday", changed)).differences == [
        f"monday: {ONE}: its signature does not hold: a field, the key or the signature was changed"
    ]


def test_a_key_that_is_not_trusted(url: str, clock: MovedClock, first: Checkpoint) -> None:
    """A foreign key is reported, with the first checkpoint that it signed."""
    sign(url, clock, OTHER_KEY)

    assert compared(url).differences == [
        f"checkpoint 2 is signed with the public key {OTHER_KEY.public_key}, which is not trusted"
    ]
    assert compared(url, trusted=[KEY.public_key, OTHER_KEY.public_key]).differences == []


def test_untrusted_keys_give_a_note(url: str, first: Checkpoint) -> None:
    """Without trusted keys, a note names the key and where it is from."""
    alone = compared(url, trusted=())
    with_a_file = compared(url, ExternalCheckpoint("monday", first), trusted=())

    assert (alone.differences, alone.notes) == ([], [NOTE])
    assert with_a_file.notes == [NOTE.replace("the ledger itself names", "the given file and the ledger itself name")]

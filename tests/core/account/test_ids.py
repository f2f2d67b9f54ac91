"""Pinned ids of transactions and numbers of accounts, each also computed here by a second implementation."""

import hashlib
import struct
import uuid

import pytest

from sixpence.core.account.transaction import seq_of, transaction_id
from sixpence.core.values.bounds import account_no

_START = 1_767_225_600_000_000  # 2026-01-01
_IDS = [
    (1, 1, 0, "00000000-0000-7000-8000-0001532deabf"),
    (9223372036854775807, 4398046511103, 253402300799999999, "e677d21f-dbff-7fff-bfff-ffff7e33b986"),
    (6556751717527649520, 1, 1767225600000000, "019b76da-a800-7000-8000-000190d84207"),
    (42, 1073741824, 1767225600123999, "019b76da-a87b-7001-8000-0000dc0549cf"),
    (42, 1073741823, 1767225600123999, "019b76da-a87b-7000-bfff-ffff4db1349b"),
]


@pytest.mark.parametrize(("number", "seq", "created_at", "pinned"), _IDS)
def test_transaction_id_is_pinned(number: int, seq: int, created_at: int, pinned: str) -> None:
    """The id of a row never changes: a UUIDv7 of its time, its seq and a hash."""
    made = transaction_id(number, seq, created_at)

    assert made == pinned == _id_by_hand(number, seq, created_at)
    assert (uuid.UUID(made).version, uuid.UUID(made).variant) == (7, uuid.RFC_4122)
    assert seq_of(made) == seq


def test_ids_sort_as_the_ledger_does() -> None:
    """Later rows have greater ids, within one millisecond by seq."""
    places = [(2**30 - 1, _START), (2**30, _START), (2**30 + 1, _START + 999), (2**30 + 2, _START + 1000)]

    ids = [transaction_id(7, seq, created_at) for seq, created_at in places]

    assert ids == sorted(ids)


@pytest.mark.parametrize("text", ["", "x", "3b241101-e2bb-4255-8caf-4136c566a962", "0" * 32, "f" * 32, "é" * 36])
def test_seq_of_any_other_text_returns_none(text: str) -> None:
    """Anything but a UUIDv7 gives None."""
    assert seq_of(text) is None


@pytest.mark.parametrize(
    ("account_id", "attempt", "pinned"),
    [
        ("ada@example.com", 0, 6556751717527649520),
        ("ada@example.com", 1, 4684630970299822918),
        ("ada@example.com", 12, 8294626371442636583),
        ("zoë@example.com", 0, 3029872308338946810),
        ("用户-7", 0, 4264378671762144033),
        ("a" * 255, 0, 6375295106968082117),
    ],
)
def test_account_no_is_pinned(account_id: str, attempt: int, pinned: int) -> None:
    """An account's number never changes; each collision takes the next one."""
    salt = "" if attempt == 0 else f"\x00{attempt}"

    assert account_no(account_id, attempt) == pinned == _number_by_hand(account_id + salt)


def _id_by_hand(number: int, seq: int, created_at: int) -> str:
    bits = f"{created_at // 1000:048b}" + "0111" + f"{seq:042b}"[:12] + "10" + f"{seq:042b}"[12:]
    bits += "".join(f"{byte:08b}" for byte in hashlib.sha256(struct.pack(">QQ", number, seq)).digest()[:4])
    return str(uuid.UUID(int=int(bits, 2)))


def _number_by_hand(text: str) -> int:
    return int(hashlib.sha256(text.encode()).hexdigest()[:16], 16) // 2

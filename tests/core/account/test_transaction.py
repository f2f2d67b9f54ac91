"""Pinned vectors: every row ever written must stay provable. Each is also computed here by a second implementation."""

import hashlib
import struct

import msgspec
import pytest

from sixpence.core.account.account import Account
from sixpence.core.account.chain import digest, hashed_fields, row_hash
from sixpence.core.account.commands import ChangePlan, Command, Consume, EnsureAccount, GrantCredits, Key, Tick
from sixpence.core.account.fold import fold
from sixpence.core.account.transaction import FIRST_HEAD, Transaction
from sixpence.core.catalog.catalog import DEFAULT_CATALOG, PricedBy
from sixpence.core.rules.decide import decide
from sixpence.core.values.bounds import account_no
from sixpence.core.values.instant import DAY

_START = 1_767_225_600_000_000  # 2026-01-01
_ACCOUNT_ID = "zoë@example.com"

# The fields in the chain, in their order. The metadata is in it by its digest.
_CHAINED = (
    *("account_no", "account_id", "seq", "id", "kind", "amount", "balance_after", "total_after", "held_after", "plan"),
    *("feature_used", "credits_consumed", "generation_id", "metadata_digest", "detail", "allocations"),
    *("idempotency_key", "fingerprint", "created_at", "recorded_at"),
)


def _rows() -> list[Transaction]:
    """A small ledger: absent fields, text beyond ASCII, metadata, a key, rows that fell due."""
    account = Account(account_no=account_no(_ACCOUNT_ID), account_id=_ACCOUNT_ID)
    metadata = '{"straße":"Büro 🏡","size":[1,2.5,null]}'
    steps: list[tuple[int, Command, Key | None]] = [
        (0, EnsureAccount(label="Zoë", metadata=metadata), None),
        (1, Consume(feature="sketch", generation_id="gén-1", metadata="{}"), Key("clé 1", bytes(range(32)))),
        (2, GrantCredits(amount=5, category="paid", expires_at=_START + DAY, features=("video",), reason="Ça"), None),
        (3, GrantCredits(amount=2**53 - 12, priority=7, effective_at=_START + DAY, actor="ada@example.com"), None),
        (4, ChangePlan(plan="pro"), None),
        (DAY + 5, Tick(), None),
    ]
    rows: list[Transaction] = []
    for offset, command, key in steps:
        priced_by = PricedBy(1, DEFAULT_CATALOG)
        decision = decide(account, command, clock=_START + offset, priced_by=priced_by, key=key)
        account = decision.account
        rows.extend(decision.rows)
    return rows


def _first_preimage_by_hand(previous: bytes, row: Transaction) -> bytes:
    data = b"\x01" + previous
    for name in _CHAINED:
        value = getattr(row, name)
        if value is None:
            data += struct.pack(">I", 0xFFFFFFFF)
        else:
            encoded = value if isinstance(value, bytes) else f"{value}".encode()
            data += struct.pack(">I", len(encoded)) + encoded
    return data


def _second_preimage_by_hand(previous: bytes, row: Transaction) -> bytes:
    """MessagePack's array of twenty, as far as a row needs MessagePack: nil, integers, text and bytes."""
    data = b"\x02" + previous + b"\xdc" + struct.pack(">H", len(_CHAINED))
    for name in _CHAINED:
        data += _packed_by_hand(getattr(row, name))
    return data


def _packed_by_hand(value: int | str | bytes | None) -> bytes:
    if value is None:
        return b"\xc0"
    if isinstance(value, int):
        if -32 <= value < 128:
            return struct.pack(">b", value) if value < 0 else bytes((value,))
        kinds = [(b"\xcc", ">B"), (b"\xcd", ">H"), (b"\xce", ">I"), (b"\xcf", ">Q")]
        if value < 0:
            kinds = [(b"\xd0", ">b"), (b"\xd1", ">h"), (b"\xd2", ">i"), (b"\xd3", ">q")]
        return next(mark + _fitting(form, value) for mark, form in kinds if _fitting(form, value))
    text = isinstance(value, str)
    encoded = value.encode() if isinstance(value, str) else value
    if text and len(encoded) < 32:
        return bytes((0xA0 | len(encoded),)) + encoded
    marks = (b"\xd9", b"\xda") if text else (b"\xc4", b"\xc5")
    return (
        marks[0] + struct.pack(">B", len(encoded)) if len(encoded) < 256 else marks[1] + struct.pack(">H", len(encoded))
    ) + encoded


def _fitting(form: str, value: int) -> bytes:
    try:
        return struct.pack(form, value)
    except struct.error:
        return b""


_BY_HAND = {1: _first_preimage_by_hand, 2: _second_preimage_by_hand}


def _in_format(form: int) -> list[Transaction]:
    """The small ledger as it is written in that format."""
    head, rows = FIRST_HEAD, []
    for row in _rows():
        unhashed = msgspec.structs.replace(row, hash_format=form)
        rows.append(msgspec.structs.replace(unhashed, hash=row_hash(head, unhashed)))
        head = rows[-1].hash
    return rows


_FIRST_HASHES = [
    ("signup", "3928bc05922b889580c595515fe061cb0481e1f99cafcc49c451d0725bfc333d"),
    ("consume", "b49473d4498c75d96342bbfd382880d3b388a2752cdda74c95fdc831b8c24e41"),
    ("grant", "ee83322ff642d8ce7fc48252d1ad2eb870de564f6e098d7e3bf97ecd2c535ca5"),
    ("grant", "9259225c81df3b953f41fe7f390c10cc6f465b2dc91a1fee77910758f728c043"),
    ("plan_change", "f6599991793231dc85f629d9dbf7c378718fbca179c352775ea9e289ebe1b648"),
    ("expire", "12ddf88d794ec0376c2e464d933cca0a509fe3995d0039024a58c5822547ea9a"),
    ("take_effect", "c033d099eedc822f7700a7fbfecb91721c6c58bf32e2c85fb5976a33f06bc2e0"),
]

_SECOND_HASHES = [
    ("signup", "fca9843446a308b8f1fd81f92358f826283867e6fe3b13f7b07910a6247b456a"),
    ("consume", "c62ac34266cc3020be74f58d6ebece9a64a0eb8a29b2c596e4e7819c27891ed7"),
    ("grant", "4ce104a075a577a1c7fcd7845f6cc9d1dd458e41354e1acbc07e8fd861e4360c"),
    ("grant", "0d163b5ce6d63989363dcd1e94de09bc9447a02688c5667c1d233938e79e2f33"),
    ("plan_change", "8baf0b8f2b7d5a012ab9b03c1ab25a110def2fd0fe872eacdc2cad600356e3b5"),
    ("expire", "5aad60091d1a047c3aa2c2df615d0a302feeecfeaac949d10fb552d8666f9ca1"),
    ("take_effect", "d7cbd600c02f1a58b2b40ae971bac3fef8767679a9057308de9a794a7d32b2f3"),
]

_TEXTS = [
    (
        '{"grant":{"amount":6,"category":"signup","effective_at":1767225600000000},"catalog_version":1}',
        '[["019b76da-a800-7000-8000-0001a06da2b3","granted",6]]',
    ),
    (
        '{"price":1,"catalog_version":1}',
        '[["019b76da-a800-7000-8000-0001a06da2b3","consumed",-1]]',
    ),
    (
        '{"grant":{"amount":5,"category":"paid","effective_at":1767225600000002,"expires_at":1767312000000000,"features":["video"]},"reason":"Ça"}',
        '[["019b76da-a800-7000-8000-0003dda3f66a","granted",5]]',
    ),
    (
        '{"grant":{"amount":9007199254740980,"category":"admin","effective_at":1767312000000000,"priority":7},"actor":"ada@example.com"}',
        '[["019b76da-a800-7000-8000-00043ead1534","scheduled",9007199254740980]]',
    ),
    (
        '{"catalog_version":1,"previous_plan":"free"}',
        "[]",
    ),
    (
        '{"about":"019b76da-a800-7000-8000-0003dda3f66a"}',
        '[["019b76da-a800-7000-8000-0003dda3f66a","expired",-5]]',
    ),
    (
        "{}",
        '[["019b76da-a800-7000-8000-00043ead1534","took_effect",9007199254740980]]',
    ),
]


def test_each_hash_of_a_ledger_is_pinned() -> None:
    """The hashes of the small ledger never change, and new rows have the newest format."""
    assert [(row.kind, row.hash.hex()) for row in _in_format(1)] == _FIRST_HASHES
    assert [(row.kind, row.hash.hex()) for row in _in_format(2)] == _SECOND_HASHES
    assert _in_format(2) == _rows()


def test_fold_proves_a_ledger_of_both_formats() -> None:
    """An account whose first rows have the first format continues in the second."""
    account = Account(account_no=account_no(_ACCOUNT_ID), account_id=_ACCOUNT_ID)
    fold(account, _in_format(1)[:3])
    later = msgspec.structs.replace(_rows()[3])
    written = msgspec.structs.replace(later, hash=row_hash(account.head, later))

    fold(account, [written])

    assert (account.seq, account.head) == (4, written.hash)


def test_fold_proves_older_expiry_without_its_grant() -> None:
    """Older expiries name their grant only in their movements; their hashes never change."""
    rows = _in_format(1)
    account = fold(Account(account_no=account_no(_ACCOUNT_ID), account_id=_ACCOUNT_ID), rows[:5])
    nameless = msgspec.structs.replace(rows[5], detail="{}", about_seq=None)
    written = msgspec.structs.replace(nameless, hash=row_hash(account.head, nameless))

    fold(account, [written])

    assert written.hash.hex() == "7ec1d7a05aaca375be5487960a62609574beb5b09690d5968d107e4962255718"
    assert account.head == written.hash


@pytest.mark.parametrize("form", [1, 2])
def test_each_hash_is_the_same_by_a_second_implementation(form: int) -> None:
    """A second implementation of each format computes the same hashes."""
    previous = FIRST_HEAD
    for row in _in_format(form):
        by_hand = hashlib.sha256(_BY_HAND[form](previous, row)).digest()

        assert digest(form, previous, hashed_fields(row)) == by_hand == row.hash

        previous = row.hash


@pytest.mark.parametrize(
    "value", [0, 127, 128, -32, -33, -128, -129, 255, 256, 65_536, 2**32, -(2**31) - 1, 2**53 - 1, -(2**53)]
)
def test_a_number_is_written_in_its_shortest_form(value: int) -> None:
    """Each number has one way to be written in the second format."""
    assert digest(2, b"", (value,)) == hashlib.sha256(b"\x02\x91" + _packed_by_hand(value)).digest()


def test_the_canonical_bytes_of_a_row_are_pinned() -> None:
    """Format 1, byte for byte: number, previous hash, then each field with its length; absent is 2^32 - 1."""
    first, second = _in_format(1)[:2]

    preimage = _first_preimage_by_hand(first.hash, second)

    assert preimage == b"".join(
        (
            b"\x01",  # format
            bytes.fromhex("3928bc05922b889580c595515fe061cb0481e1f99cafcc49c451d0725bfc333d"),  # previous hash
            b"\x00\x00\x00\x133029872308338946810",  # account_no
            b"\x00\x00\x00\x10zo\xc3\xab@example.com",  # account_id
            b"\x00\x00\x00\x012",  # seq
            b"\x00\x00\x00$019b76da-a800-7000-8000-0002fcf4b888",  # id
            b"\x00\x00\x00\x07consume",  # kind
            b"\x00\x00\x00\x02-1",  # amount
            b"\x00\x00\x00\x015",  # balance_after
            b"\x00\x00\x00\x016",  # total_after
            b"\x00\x00\x00\x010",  # held_after
            b"\x00\x00\x00\x04free",  # plan
            b"\x00\x00\x00\x06sketch",  # feature_used
            b"\x00\x00\x00\x011",  # credits_consumed
            b"\x00\x00\x00\x06g\xc3\xa9n-1",  # generation_id
            bytes.fromhex(
                "0000002044136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
            ),  # metadata_digest
            b'\x00\x00\x00\x1f{"price":1,"catalog_version":1}',  # detail
            b'\x00\x00\x008[["019b76da-a800-7000-8000-0001a06da2b3","consumed",-1]]',  # allocations
            b"\x00\x00\x00\x06cl\xc3\xa9 1",  # idempotency_key
            bytes.fromhex("00000020000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"),  # fingerprint
            b"\x00\x00\x00\x101767225600000001",  # created_at
            b"\x00\x00\x00\x101767225600000001",  # recorded_at
        )
    )
    assert hashlib.sha256(preimage).digest() == second.hash


def test_texts_of_detail_and_allocations_are_pinned() -> None:
    """Detail and allocations are written in the same way by every release."""
    assert [(row.detail, row.allocations) for row in _rows()] == _TEXTS


@pytest.mark.parametrize("form", [1, 2])
def test_fields_do_not_run_into_each_other(form: int) -> None:
    """Where one field ends and the next begins is part of what is hashed, and absent is not empty."""
    fields = (("ab", "c"), ("a", "bc"), ("abc", ""), ("abc", None), ("abc",))

    assert len({digest(form, bytes(32), each) for each in fields}) == 5


def test_every_field_but_the_metadata_is_in_the_chain() -> None:
    """A field added to the row must be placed in the chain, or left out on purpose."""
    assert set(Transaction.__struct_fields__) - set(_CHAINED) == {"metadata", "hash_format", "hash", "about_seq"}
    assert len(hashed_fields(_rows()[0])) == len(_CHAINED)


_PLANS = '"plans":{"free":{"signup_credits":6},"pro":{"rank":10,"unlimited":true}},"default_plan":"free"}'
_DOCUMENT = '{"features":{"interior":{},"exterior":{},"sketch":{},"furnish":{},"remove":{},"video":{}},' + _PLANS
_SORTED = '{"features":{"exterior":{},"furnish":{},"interior":{},"remove":{},"sketch":{},"video":{}},' + _PLANS
_DIGEST = "ca01580e3f583131983b4e11dfd6bbe6a7af6d82dab37f39a173a4e0c0785ab7"


def test_the_default_catalogs_document_and_digest_are_pinned() -> None:
    """The document keeps the catalog's order; the digest, which is compared, is over the sorted one."""
    assert DEFAULT_CATALOG.document() == _DOCUMENT
    assert DEFAULT_CATALOG.digest() == _DIGEST == hashlib.sha256(_SORTED.encode()).hexdigest()


def test_a_row_is_immutable() -> None:
    """No field of a row can be set."""
    row = _rows()[0]

    with pytest.raises(AttributeError):
        row.amount = 7  # type: ignore[misc]

    assert msgspec.structs.asdict(row) == msgspec.structs.asdict(_rows()[0])

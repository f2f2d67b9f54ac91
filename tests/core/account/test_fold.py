"""The fold: it rebuilds an account exactly, and finds any change of its rows."""

from functools import cache
from typing import Any

import msgspec
import pytest

from sixpence.core.account.account import Account
from sixpence.core.account.apply import apply
from sixpence.core.account.chain import row_hash
from sixpence.core.account.commands import ChangePlan, Command, Consume, EnsureAccount, GrantCredits, Key, Tick
from sixpence.core.account.fold import fold
from sixpence.core.account.movement import Allocation
from sixpence.core.account.transaction import Transaction, write_allocations
from sixpence.core.errors import BrokenLedgerError
from sixpence.core.rules.decide import decide
from tests.core.case_table import ACCOUNT_ID, ACCOUNT_NO, PRICED_BY, read_instant


def _new_account() -> Account:
    return Account(account_no=ACCOUNT_NO, account_id=ACCOUNT_ID)


@cache
def _ledger() -> tuple[Account, list[Transaction]]:
    """An account that has seen every kind of row."""
    steps: list[tuple[str, Command, Key | None]] = [
        ("0", EnsureAccount(), None),
        (
            "1",
            GrantCredits(amount=9, category="paid", expires_at=read_instant("30"), features=("sketch", "interior")),
            None,
        ),
        ("2", GrantCredits(amount=4, effective_at=read_instant("20"), priority=7, reason="Büro"), Key("k1", bytes(32))),
        ("3", Consume(feature="video", generation_id="g-1", metadata='{"a":"é"}'), None),
        ("4", Consume(feature="interior", metadata="{}"), None),
        ("5", ChangePlan(plan="team"), None),
        ("6", EnsureAccount(), Key("k2", bytes(range(32)))),
        ("25", Consume(feature="sketch"), None),
        ("40", Tick(), None),
    ]
    account = _new_account()
    rows: list[Transaction] = []
    for at, command, key in steps:
        decision = decide(account, command, clock=read_instant(at), priced_by=PRICED_BY, key=key)
        account = decision.account
        rows.extend(decision.rows)
    return account, rows


_KINDS = ("signup", "grant", "grant", "consume", "consume", "plan_change", "ensure", "take_effect", "consume", "expire")
_BYTES = ("metadata_digest", "fingerprint")


def _changes(name: str, value: Any) -> list[Any]:
    """Values that differ a little from the one in the field; blanked metadata is allowed and not among them."""
    absent = [] if name == "metadata" or value is None else [None]
    if isinstance(value, int):
        return [*absent, value + 1, value - 1, -value - 1]
    if isinstance(value, bytes):
        return [*absent, b"", value + b" ", *(_flipped(value, place) for place in range(len(value)))]
    if isinstance(value, str):
        data = value.encode()
        return [*absent, "", value + " ", *(_flipped(data, place).decode("latin-1") for place in range(len(data)))]
    return [0, 1] if name == "credits_consumed" else [b"", b"x"] if name in _BYTES else ["", "x"]


def _flipped(data: bytes, place: int) -> bytes:
    return data[:place] + bytes((data[place] ^ 1,)) + data[place + 1 :]


_FIELDS = [
    pytest.param(place, name, id=f"{place + 1}-{kind}-{name}")
    for place, kind in enumerate(_KINDS)
    for name in Transaction.__struct_fields__
]


def test_fold_rebuilds_the_account() -> None:
    """From its rows alone: the grants, the plan, the figures and the head."""
    account, rows = _ledger()

    rebuilt = fold(_new_account(), rows)

    assert tuple(row.kind for row in rows) == _KINDS
    assert msgspec.msgpack.encode(rebuilt) == msgspec.msgpack.encode(account)


def test_fold_in_two_parts_is_the_same_as_at_once() -> None:
    """Folding can stop after any row and continue from there."""
    account, rows = _ledger()

    for cut in range(len(rows) + 1):
        halfway = fold(_new_account(), rows[:cut])

        assert fold(halfway, rows[cut:]) == account


def test_apply_leads_to_the_same_account_as_fold() -> None:
    """`apply` does not check hashes, and changes the account in the same way."""
    account, rows = _ledger()
    applied = _new_account()

    for row in rows:
        apply(applied, row)

    assert applied == account


@pytest.mark.parametrize(("place", "name"), _FIELDS)
def test_fold_finds_any_changed_field(place: int, name: str) -> None:
    """The fold stops at a row of which any field was changed."""
    _, rows = _ledger()
    row = rows[place]

    for value in _changes(name, getattr(row, name)):
        changed = msgspec.structs.replace(row, **{name: value})
        with pytest.raises(BrokenLedgerError, match=f"transaction {changed.seq}"):
            fold(_new_account(), [*rows[:place], changed, *rows[place + 1 :]])


@pytest.mark.parametrize("place", range(len(_KINDS) - 1))
def test_fold_finds_a_missing_repeated_or_moved_row(place: int) -> None:
    """All rows must be there, once, and in order."""
    _, rows = _ledger()
    before, row, after = rows[:place], rows[place], rows[place + 1 :]

    for wrong in ([*before, *after], [*before, row, row, *after], [*before, after[0], row, *after[1:]]):
        with pytest.raises(BrokenLedgerError):
            fold(_new_account(), wrong)


def test_fold_accepts_erased_metadata() -> None:
    """A row's metadata can be blanked: its digest, not its bytes, is in the chain (invariant 16)."""
    account, rows = _ledger()

    erased = [msgspec.structs.replace(row, metadata=None) for row in rows]

    assert fold(_new_account(), erased) == account


def test_fold_refuses_rows_of_another_account() -> None:
    """Rows of one account do not make another one."""
    for stranger in (Account(account_no=ACCOUNT_NO, account_id="bob@example.com"), Account(7, ACCOUNT_ID)):
        with pytest.raises(BrokenLedgerError, match="is not of"):
            fold(stranger, _ledger()[1])


# What a defect could write: rows whose hashes are right and whose contents do not add up.
_DEFECTS: list[tuple[str, str, dict[str, Any]]] = [
    ("older than", "consume", {"created_at": 0}),
    ("follows", "consume", {"seq": 99}),
    ("another amount", "consume", {"amount": -4, "balance_after": 11}),
    ("does not add up", "consume", {"balance_after": 99}),
    ("does not add up", "consume", {"total_after": 99}),
    ("does not add up", "consume", {"held_after": 1}),
    ("not live", "grant", {"detail": "{}"}),
    ("other than its terms", "grant", {"amount": 8, "balance_after": 14, "moves": [("granted", 8)]}),
    ("out of its time", "take_effect", {"moves": [("took_effect", 3)]}),
    ("out of its time", "take_effect", {"moves": [("consumed", -1)]}),
    ("out of its time", "expire", {"moves": [("took_effect", 9)]}),
    ("more from a grant", "expire", {"moves": [("expired", -99)]}),
    ("more from a grant", "expire", {"moves": [("expired", 99)]}),
    ("more from a grant", "expire", {"moves": [("expired", -1)]}),
    ("not live", "consume", {"allocations": '[["x","consumed",-5]]'}),
]


@pytest.mark.parametrize(("problem", "kind", "wrong"), _DEFECTS)
def test_fold_finds_a_row_that_does_not_add_up_under_a_valid_hash(
    problem: str, kind: str, wrong: dict[str, Any]
) -> None:
    """The fold checks what a row does, and not only that it is unchanged."""
    _, rows = _ledger()
    place = _KINDS.index(kind)
    account, row = fold(_new_account(), rows[:place]), rows[place]
    if "moves" in wrong:
        grant_id = row.read_allocations()[0].grant_id
        moves = tuple(Allocation(grant_id, *move) for move in wrong["moves"])
        wrong = {**wrong, "allocations": write_allocations(moves)}
        del wrong["moves"]
    unhashed = msgspec.structs.replace(row, **wrong)
    written = msgspec.structs.replace(unhashed, hash=row_hash(account.head, unhashed))

    with pytest.raises(BrokenLedgerError, match=problem):
        fold(account, [written])

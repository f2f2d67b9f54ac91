"""Statements with a proof: what it confirms, and that any change in such a statement is found."""

import copy
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from sixpence.core.account.chain import row_hash
from sixpence.core.account.transaction import FIRST_HEAD
from sixpence.core.proof.statement_document import StatementDiffersError, read_document
from sixpence.core.proof.statement_proof import ProvedRow, prove
from sixpence.core.reports.statement import Statement
from tests.core.case_table import ACCOUNT_ID, read_instant
from tests.core.proof.signed_statement import checked, ledger, period_of, signed, statement, to_document

Change = Callable[[dict[str, Any]], object]


def test_check_confirms_a_whole_statement() -> None:
    """From before the account existed until after its last transaction, all of it covered by the signature."""
    came = checked(statement("-1", "5", signed_up_to=5, last=5))

    assert to_document(came.statement) == {**statement("-1", "5", signed_up_to=5, last=5), "proof": None}
    assert (came.attested_up_to, came.is_followed, len(came.statement.movements)) == (5, False, 5)


@pytest.mark.parametrize("signed_up_to", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("since", ["-1", "0", "1", "2", "2.25"])
@pytest.mark.parametrize("until", ["2.5", "4", "9"])
def test_check_confirms_any_period_by_any_checkpoint(since: str, until: str, signed_up_to: int) -> None:
    """A checkpoint before, in or after the period: the rows lead from the one to the other."""
    rows = ledger()
    period = period_of(rows, read_instant(since), read_instant(until))
    last = max(min(5, period.closing.version + 1), signed_up_to)

    came = checked(statement(since, until, signed_up_to=signed_up_to, last=last))

    assert (came.statement.opening, came.statement.closing) == (period.opening, period.closing)
    assert (came.attested_up_to, came.is_followed) == (signed_up_to, signed_up_to > period.closing.version)


def test_unsigned_row_does_not_show_that_a_period_is_complete() -> None:
    """Rows after the checkpoint can be left out or forged."""
    rows = ledger()[:2]
    made_up = msgspec.structs.replace(ledger()[4], seq=3, balance_after=rows[1].balance_after - 1)
    made_up = msgspec.structs.replace(made_up, hash=row_hash(rows[1].hash, made_up))
    period = period_of(rows, read_instant("-1"), read_instant("3.5"))
    checkpoint, place, path = signed(rows[1])
    proof = prove(period, [*rows, made_up], previous=FIRST_HEAD, checkpoint=checkpoint, place=place, path=path)

    came = checked(to_document(Statement.of(period, rows, proof)))

    assert (came.attested_up_to, came.is_followed, came.statement.closing.version) == (2, False, 2)


@pytest.mark.parametrize(("since", "until"), [("3", "2"), ("2", "2")])
def test_check_refuses_a_period_that_ends_before_it_begins(since: str, until: str) -> None:
    """It is empty, so that nothing in it could be wrong."""
    document = statement("-1", "5", signed_up_to=5, last=5)
    proof = document["proof"]
    turned = {**proof, "since": read_instant(since), "until": read_instant(until)}

    with pytest.raises(StatementDiffersError, match="before it begins"):
        checked({**document, "proof": turned})


@pytest.mark.slow
def test_any_flipped_bit_of_a_statement_is_found() -> None:
    """Each bit of its JSON is flipped in turn: each is found, and each ends in a difference and nothing else."""
    document = statement("1.5", "2.5", signed_up_to=4, last=4)
    written = msgspec.json.encode(document)
    assert checked(written).attested_up_to == 4

    unfound = [
        (place, bit, written[place - 20 : place + 20])
        for place in range(len(written))
        for bit in range(8)
        if not is_found(written[:place] + bytes([written[place] ^ 1 << bit]) + written[place + 1 :])
    ]

    assert unfound == []


def test_check_ignores_insignificant_space() -> None:
    """Space is the only thing that may change in a statement; it changes nothing that is shown."""
    document = statement("1.5", "2.5", signed_up_to=4, last=4)
    spaced = msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"

    assert checked(spaced) == checked(document)


CHANGES: list[tuple[str, Change, str]] = [
    ("no proof", lambda d: d.pop("proof"), "it carries no proof"),
    ("null for a proof", lambda d: d.update(proof=None), "it carries no proof"),
    ("a list for a proof", lambda d: d.update(proof=[]), "its proof cannot be read: Expected `object`, got `array`"),
    ("another account", lambda d: d.update(account_id="x"), "transaction 1: its hash does not follow from its fields"),
    ("no account", lambda d: d.pop("account_id"), "its account_id is None, which is not text"),
    ("another opening", lambda d: d["opening"].update(remaining=7), "opening.remaining is 7, its rows say 6"),
    ("another closing", lambda d: d["closing"].update(total=16), "closing.total is 16, its rows say 15"),
    ("true for 1", lambda d: d["movements"][0].update(seq=True), "movements[0].seq is True, its rows say 2"),
    ("2.0 for 2", lambda d: d["movements"][0].update(seq=2.0), "movements[0].seq is 2.0, its rows say 2"),
    ("a movement less", lambda d: d["movements"].pop(), "movements has 1 entries, its rows make 2"),
    ("a movement twice", lambda d: d["movements"].append(d["movements"][1]), "movements has 3 entries"),
    ("another reason", lambda d: d["movements"][0].update(reason="?"), "movements[0].reason is '?'"),
    ("another period", lambda d: d.update(since="2026-01-01T00:00:00Z"), "since is '2026-01-01T00:00:00Z'"),
    ("more than a statement", lambda d: d.update(bonus=5), "'bonus' is not part of a statement"),
    ("less than a statement", lambda d: d.pop("until"), "until is missing"),
    ("another format", lambda d: d["proof"].update(format=2), "its proof has the format 2, and this version knows 1"),
    ("no rows", lambda d: d["proof"]["rows"].clear(), "its proof has no rows"),
    ("a row less", lambda d: d["proof"]["rows"].pop(1), "transaction 2 is missing: the next row is transaction 3"),
    ("a row cut off at the start", lambda d: d["proof"]["rows"].pop(0), "transaction 2: its hash does not follow"),
    ("rows cut off at the end", lambda d: d["proof"]["rows"].pop(), "none of its rows leads to the root"),
    ("another before the first", lambda d: d["proof"].update(previous="1" * 64), "transaction 1: its hash does not"),
    ("another amount", lambda d: d["proof"]["rows"][1].update(amount=90), "transaction 2: its hash does not follow"),
    ("half a character", lambda d: d["proof"]["rows"][1].update(plan="\ud800"), "transaction 2: its hash does not"),
    ("a number out of bounds", lambda d: d["proof"]["rows"][1].update(amount=2**70), "transaction 2: its hash"),
    ("an unknown hash format", lambda d: d["proof"]["rows"][1].update(hash_format=9), "transaction 2: its hash"),
    ("another place", lambda d: d["proof"].update(place=0), "none of its rows leads to the root of checkpoint 1"),
    ("another path", lambda d: d["proof"]["path"].reverse(), "none of its rows leads to the root of checkpoint 1"),
    ("another root", lambda d: d["proof"]["checkpoint"].update(root="0" * 64), "the checkpoint: its signature does"),
    ("digits in capitals", lambda d: d["proof"].update(previous="A" * 64), "its proof cannot be read: Expected `str`"),
]


@pytest.mark.parametrize(("change", "difference"), [each[1:] for each in CHANGES], ids=[each[0] for each in CHANGES])
def test_check_names_the_first_difference(change: Change, difference: str) -> None:
    """A changed statement is refused with the first difference."""
    document = copy.deepcopy(statement("0.5", "2.5", signed_up_to=4, last=4))
    change(document)

    with pytest.raises(StatementDiffersError) as differs:
        checked(document)

    assert str(differs.value).startswith(difference)


def test_check_refuses_the_proof_of_another_period() -> None:
    """The proof of one period does not prove another one."""
    mine, theirs = (statement("0.5", until, signed_up_to=4, last=4) for until in ("2.5", "3.5"))

    with pytest.raises(StatementDiffersError, match=r"^until is "):
        checked({**theirs, "proof": mine["proof"]})


def test_check_finds_unsigned_rows_that_do_not_add_up() -> None:
    """Rows after the checkpoint are not signed: their balances must follow from one another all the same."""
    document = statement("0.5", "3.5", signed_up_to=3, last=4)
    document["proof"]["rows"][-1] = forged(document, balance_after=900)

    with pytest.raises(StatementDiffersError, match=r"^transaction 4: -1 on top of \d+ is not the 900 that it says$"):
        checked(document)


def test_check_finds_rows_that_go_back_in_time() -> None:
    """No row is dated before the one that it follows."""
    document = statement("0.5", "3.5", signed_up_to=3, last=4)
    document["proof"]["rows"][-1] = forged(document, created_at=read_instant("1"))

    with pytest.raises(StatementDiffersError, match=r"^transaction 4 is dated before the one that it follows$"):
        checked(document)


def test_check_finds_a_row_that_cannot_be_read() -> None:
    """A detail that is not JSON, under a hash that fits."""
    document = statement("0.5", "3.5", signed_up_to=3, last=4)
    document["proof"]["rows"][-1] = forged(document, detail="{")

    with pytest.raises(StatementDiffersError, match=r"^a row's detail cannot be read: "):
        checked(document)


def test_check_refuses_rows_without_the_opening_balance() -> None:
    """The row before the period must show what the account had."""
    document = statement("1.5", "2.5", signed_up_to=4, last=4)
    document["proof"].update(previous=document["proof"]["rows"][0]["hash"], rows=document["proof"]["rows"][1:])

    with pytest.raises(StatementDiffersError, match=r"^no row shows what there was before "):
        checked(document)


@pytest.mark.parametrize(
    ("data", "difference"),
    [
        (b"", "it cannot be read as JSON (Expecting value: line 1 column 1 (char 0))"),
        (b"\xff", "it cannot be read as JSON ('utf-8' codec can't decode byte 0xff"),
        (b"[]", "it is a JSON list and not an object"),
        (b'{"proof": NaN}', "it cannot be read as JSON (NaN is not a value)"),
        (b'{"a": 1, "b": {"c": 1, "c": 2}}', "it cannot be read as JSON (the name 'c' is there twice)"),
        (b"[" * 100_000, "it cannot be read as JSON ("),
    ],
)
def test_read_document_refuses_ambiguous_json(data: bytes, difference: str) -> None:
    """A repeated name, half a text, and anything but an object."""
    with pytest.raises(StatementDiffersError) as differs:
        read_document(data)

    assert str(differs.value).startswith(difference)


def is_found(data: bytes) -> bool:
    """Whether reading or checking the bytes ends in a difference."""
    try:
        checked(data)
    except StatementDiffersError:
        return True
    return False


def forged(document: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """The last row with other fields, and a hash that fits them."""
    rows = ledger()
    row = msgspec.structs.replace(rows[3], metadata=None, **changes)
    row = msgspec.structs.replace(row, hash=row_hash(rows[2].hash, row))
    assert row.account_id == ACCOUNT_ID == document["account_id"]
    return {name: _written(getattr(row, name)) for name in ProvedRow.__struct_fields__}


def _written(value: Any) -> Any:
    return value.hex() if isinstance(value, bytes) else value

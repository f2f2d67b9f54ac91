"""A statement as CSV: what a reader of RFC 4180 gets back, and no text that a spreadsheet runs as a formula."""

import csv
import io
from typing import Any

import pytest

from sixpence.core.reports.statement import Figures, Period, StatementMovement
from sixpence.core.reports.statement_csv import COLUMNS, StatementCSV
from tests.core.story_table import read_instant, run_story


def csv_of(movements: list[StatementMovement], closing: Figures) -> str:
    """The whole CSV."""
    frame = Period(
        account_id="ada@example.com",
        since=read_instant("0"),
        until=read_instant("2026-01-03"),
        opening=Figures(),
        closing=closing,
    )
    layout = StatementCSV(frame)
    return layout.head() + layout.lines(movements) + layout.foot()


def movement(**facts: Any) -> StatementMovement:
    """A correction with a reason."""
    return StatementMovement(
        seq=2,
        id="id-2",
        kind="adjust",
        created_at=read_instant("5"),
        amount=-3,
        balance_after=3,
        total_after=3,
        held_after=0,
        **{"plan": "free", **facts},
    )


def test_whole_statement_as_csv() -> None:
    """A header, the opening balance, the movements, the closing balance; lines end with CR and LF."""
    rows = run_story("@0 ensure; @86400 use interior").rows

    text = csv_of([StatementMovement.of(row) for row in rows], Figures.after(rows[-1]))

    assert text.split("\r\n") == [
        "seq,time,kind,amount,balance,held,total,plan,feature,credits_consumed,generation_id,reason,actor,about,"
        "transaction_id",
        "0,2026-01-01T00:00:00.000000Z,opening,,0,0,0,,,,,,,,",
        f"1,2026-01-01T00:00:00.000000Z,signup,6,6,0,6,free,,,,,,,{rows[0].id}",
        f"2,2026-01-02T00:00:00.000000Z,consume,-2,4,0,6,free,interior,2,,,,,{rows[1].id}",
        "2,2026-01-03T00:00:00.000000Z,closing,,4,0,6,free,,,,,,,",
        "",
    ]


def test_csv_quotes_commas_quotes_and_spaces() -> None:
    """Commas, quotes and spaces come back as they were."""
    said = {"reason": 'said "no", twice', "actor": " ops, second shift "}

    table = list(csv.DictReader(io.StringIO(csv_of([movement(**said)], Figures()), newline="")))

    assert (table[1]["reason"], table[1]["actor"]) == (said["reason"], said["actor"])
    assert [len(row) for row in table] == [len(COLUMNS)] * 3


@pytest.mark.parametrize("begins", ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"])
@pytest.mark.parametrize("field", ["reason", "actor", "generation_id", "feature_used", "about", "plan"])
def test_csv_disarms_text_that_begins_like_a_formula(begins: str, field: str) -> None:
    """An apostrophe is put before such a text, in every column with text from a person."""
    text = f"{begins}HYPERLINK(1)"

    table = list(csv.reader(io.StringIO(csv_of([movement(**{field: text})], Figures()), newline="")))

    assert f"'{text}" in table[2]
    assert text not in table[2]


def test_csv_amounts_below_zero_stay_numbers() -> None:
    """They are not text from a person, and a spreadsheet adds them up."""
    table = list(csv.DictReader(io.StringIO(csv_of([movement()], Figures()), newline="")))

    assert table[1]["amount"] == "-3"

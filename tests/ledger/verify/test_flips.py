"""Every flipped byte of a ledger's rows is found, but for what is listed as an exception."""

import random
import typing
from collections.abc import Iterator
from pathlib import Path

import pytest

from sixpence.core.account.transaction import Kind
from tests.ledger.every_kind import write_every_kind
from tests.ledger.moved_clock import MovedClock
from tests.ledger.verify.flips import EXCEPTIONS, TABLES, Flipped, Text, flipped

pytestmark = pytest.mark.slow
TRIED = 500


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flipped]:
    """A copy in memory of a ledger with rows of every kind."""
    path = tmp_path_factory.mktemp("flips") / "credits.db"
    write_every_kind(f"sqlite:///{path}", MovedClock())
    with flipped(str(path)) as copy:
        yield copy


def test_every_kind_of_row_is_there(tmp_path: Path) -> None:
    """All kinds of transactions, all states of holds, and rows in every table whose bytes are flipped."""
    path = tmp_path / "credits.db"
    write_every_kind(f"sqlite:///{path}", MovedClock())

    with flipped(str(path)) as copy:
        there = {(flip.table, flip.column): set[object]() for flip in copy.flips()}
        for flip in copy.flips():
            there[flip.table, flip.column].add(flip.there)

    assert there["credit_transactions", "kind"] == set(typing.get_args(Kind))
    assert there["credit_holds", "state"] == {"open", "captured", "released", "expired"}
    assert {table for table, _ in there} == set(TABLES)


def test_the_ledger_is_right_before(whole: Flipped) -> None:
    """Nothing differs in the copy itself, or every flip would be found."""
    assert whole.differences() == []


def test_a_flipped_byte_is_found(whole: Flipped) -> None:
    """Some flips drawn from all of them; `make torture PART=flips` tries every one."""
    flips = [flip for flip in whole.flips() if (flip.table, flip.column) not in EXCEPTIONS]
    drawn = random.Random(6).sample(flips, TRIED)

    missed = [flip for flip in drawn if not whole.is_found(flip)]

    assert missed == []
    assert whole.differences() == []


def test_every_column_is_drawn_from(whole: Flipped) -> None:
    """One flip at least of every column of every table is found."""
    first = {(flip.table, flip.column): flip for flip in whole.flips()}

    missed = {column for column, flip in first.items() if column not in EXCEPTIONS and not whole.is_found(flip)}

    assert missed == set()


def test_the_exceptions_are_exact(whole: Flipped) -> None:
    """Each of them has a flip that is not found, or it would be none."""
    of_exceptions = [flip for flip in whole.flips() if (flip.table, flip.column) in EXCEPTIONS]

    missed = {(flip.table, flip.column) for flip in of_exceptions if not whole.is_found(flip)}

    assert missed == set(EXCEPTIONS)


@pytest.mark.parametrize(
    ("table", "column"),
    [("credit_accounts", "live"), ("credit_holds", "document"), ("catalog_versions", "document")],
)
def test_a_document_that_says_the_same_in_other_bytes_is_found(whole: Flipped, table: str, column: str) -> None:
    """A space more, or a name that nobody reads: no Sixpence has written that."""
    flips = {flip.key: flip for flip in whole.flips() if (flip.table, flip.column) == (table, column)}

    for flip in flips.values():
        document = flip.there.encode()
        for instead in (document + b" ", document[:-1] + b',"zzz":1}'):
            assert whole.is_found(flip._replace(instead=Text(instead)))
    assert whole.differences() == []

"""Stored JSON that cannot be read is one kind of error, whatever stands there."""

from typing import Any

import msgspec
import pytest

from sixpence.core.account.transaction import Transaction
from sixpence.core.catalog.catalog import from_document
from sixpence.core.values.stored_document import decoder_of

DEEP = "[" * 50_000
read = decoder_of(tuple[int, ...])


def test_a_document_of_the_shape_is_read() -> None:
    """As text and as bytes."""
    assert (read("[1,2]"), read(b"[3]")) == ((1, 2), (3,))


@pytest.mark.parametrize("document", ["", "[", '["x"]', f"[{DEEP}", "[\udcff]", '["\udcff"]', b'["\xff"]', b"\xff"])
def test_any_other_text_is_one_kind_of_error(document: str | bytes) -> None:
    """Also one that is nested without an end, and one that is no text at all."""
    with pytest.raises(msgspec.MsgspecError):
        read(document)


def test_what_is_nested_in_an_unknown_field_is_read_by_nobody() -> None:
    """A field that the shape does not have is passed over, but not to any depth."""
    with pytest.raises(msgspec.MsgspecError, match="it is nested too deeply"):
        from_document(f'{{"x":{DEEP}')


def test_a_row_that_is_nested_without_an_end_cannot_be_read() -> None:
    """Neither its facts nor its movements."""
    fields: dict[str, Any] = dict.fromkeys(Transaction.__struct_fields__)
    row = Transaction(**{**fields, "detail": f'{{"x":{DEEP}', "allocations": f'[["g","consumed",-1,{DEEP}'})

    for read_part in (row.read_detail, row.read_allocations):
        with pytest.raises(msgspec.MsgspecError, match="it is nested too deeply"):
            read_part()

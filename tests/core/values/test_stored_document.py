"""`decoder_of`: stored text that cannot be decoded raises one kind of error."""

from typing import Any

import msgspec
import pytest

from sixpence.core.account.transaction import Transaction
from sixpence.core.catalog.catalog import from_document
from sixpence.core.values.stored_document import decoder_of

DEEP = "[" * 50_000
read = decoder_of(tuple[int, ...])


def test_decoder_of_reads_text_and_bytes() -> None:
    """A document of the shape is decoded from both."""
    assert (read("[1,2]"), read(b"[3]")) == ((1, 2), (3,))


@pytest.mark.parametrize("document", ["", "[", '["x"]', f"[{DEEP}", "[\udcff]", '["\udcff"]', b'["\xff"]', b"\xff"])
def test_decoder_of_refuses_other_text_with_one_error(document: str | bytes) -> None:
    """Also text that is nested too deep, and bytes that are not text."""
    with pytest.raises(msgspec.MsgspecError):
        read(document)


def test_decoder_of_bounds_the_depth_of_unknown_fields() -> None:
    """An unknown field is skipped, but not at any depth."""
    with pytest.raises(msgspec.MsgspecError, match="it is nested too deeply"):
        from_document(f'{{"x":{DEEP}')


def test_row_documents_that_are_too_deep_cannot_be_read() -> None:
    """Neither the detail nor the allocations."""
    fields: dict[str, Any] = dict.fromkeys(Transaction.__struct_fields__)
    row = Transaction(**{**fields, "detail": f'{{"x":{DEEP}', "allocations": f'[["g","consumed",-1,{DEEP}'})

    for read_part in (row.read_detail, row.read_allocations):
        with pytest.raises(msgspec.MsgspecError, match="it is nested too deeply"):
            read_part()

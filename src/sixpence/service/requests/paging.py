"""Pages: how many entries one holds, and the cursor of the next."""

from sixpence.core.errors import InvalidInputError
from sixpence.ledger.reads.accounts import PAGE_MAX

PAGE_SIZE = 50


def checked_limit(limit: object) -> int:
    """The page's limit; raises `InvalidInputError` unless it is from 1 to 200."""
    if type(limit) is not int or not 1 <= limit <= PAGE_MAX:
        raise InvalidInputError("limit", f"{limit!r:.60} is not a whole number from 1 to {PAGE_MAX}.")
    return limit


def seq_of_cursor(cursor: object) -> int:
    """The `seq` before which a page begins; raises `InvalidInputError` for an invalid cursor."""
    if not (isinstance(cursor, str) and cursor.isascii() and cursor.isdigit() and len(cursor) <= 18):
        raise InvalidInputError("cursor", f"{cursor!r:.60} is not a cursor. Send next_cursor of the page before.")
    return int(cursor)

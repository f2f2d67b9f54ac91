"""Pages: how many entries one holds, and the cursor from which the next goes on."""

from sixpence.core.errors import InvalidInputError
from sixpence.ledger.reads.accounts import PAGE_MAX

PAGE_SIZE = 50


def checked_limit(limit: object) -> int:
    """How many entries a page holds at most."""
    if type(limit) is not int or not 1 <= limit <= PAGE_MAX:
        raise InvalidInputError("limit", f"{limit!r:.60} is not a whole number from 1 to {PAGE_MAX}.")
    return limit


def seq_of_cursor(cursor: object) -> int:
    """The `seq` below which a page begins."""
    if not (isinstance(cursor, str) and cursor.isascii() and cursor.isdigit() and len(cursor) <= 18):
        raise InvalidInputError("cursor", f"{cursor!r:.60} is not a cursor. Send next_cursor of the page before.")
    return int(cursor)

"""The bounds of amounts, names and texts, and the one place that checks them.

Not here: the rules of accounts. A value is checked here before a rule sees it.
"""

import hashlib
import re

from sixpence.core.errors import InvalidInputError

# The largest integer that every JSON client represents exactly (RFC 8259, section 6).
AMOUNT_MAX = 2**53 - 1
ACCOUNT_ID_LENGTH_MAX = 255
KEY_LENGTH_MAX = 255
LABEL_LENGTH_MAX = 255
GENERATION_ID_LENGTH_MAX = 255
REASON_LENGTH_MAX = 1_000
LIVE_GRANTS_MAX = 300
PRIORITY_MAX = 1_000

_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def check_amount(field: str, value: int, *, least: int = 1) -> int:
    """Return the amount if it is an integer from `least` to 2^53 - 1; raises `InvalidInputError`."""
    if type(value) is not int:
        raise InvalidInputError(field, f"{shown(value)} is not a whole number. Send an integer of the smallest unit.")
    if not least <= value <= AMOUNT_MAX:
        raise InvalidInputError(field, f"{shown(value)} is out of range. Send an integer from {least} to {AMOUNT_MAX}.")
    return value


def check_text(field: str, value: str, *, length_max: int) -> str:
    """Return the text if it has 1 to `length_max` characters and no control characters; raises `InvalidInputError`."""
    if not isinstance(value, str):
        raise InvalidInputError(field, f"{shown(value)} is not text. Send a string.")
    if not value:
        raise InvalidInputError(field, f"is empty. Send 1 to {length_max} characters.")
    if len(value) > length_max:
        raise InvalidInputError(field, f"has {len(value)} characters. Send at most {length_max}.")
    if _UNPRINTABLE.search(value):
        raise InvalidInputError(field, f"{shown(value)} has a control character or a lone surrogate. Remove it.")
    return value


def check_account_id(value: str) -> str:
    """Return the app's own id for a user or team, if it has 1 to 255 characters and no control characters."""
    return check_text("account_id", value, length_max=ACCOUNT_ID_LENGTH_MAX)


def account_no(account_id: str, attempt: int = 0) -> int:
    """Return the account's number: 63 bits of SHA-256 over its id; `attempt` counts the collisions found so far."""
    salt = f"\x00{attempt}" if attempt else ""
    digest = hashlib.sha256((account_id + salt).encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def shown(value: object) -> str:
    """Return a value as a message quotes it: in ASCII, at most 60 characters."""
    try:
        text = ascii(value)
    except ValueError:  # Python writes no integer of more than 4300 digits.
        text = "a number of thousands of digits"
    return text if len(text) <= 60 else text[:57] + "..."

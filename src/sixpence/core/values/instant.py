"""Instants: whole microseconds since 1970-01-01 UTC, and their ISO 8601 form on the wire.

They are integers, so that both databases store them exactly and comparing them is one operation. Not here: a clock.
"""

from datetime import UTC, datetime, timedelta

from sixpence.core.errors import InvalidInputError

SECOND = 1_000_000
DAY = 86_400 * SECOND
# 9999-12-31T23:59:59.999999Z, the last instant that a datetime can represent.
INSTANT_MAX = 253_402_300_799_999_999

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def to_wire(instant: int) -> str:
    """Return the wire form of an instant in microseconds: `2026-01-31T09:30:00.000000Z`."""
    moment = _EPOCH + timedelta(microseconds=instant)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond:06d}Z"


def from_wire(field: str, text: str) -> int:
    """Return the instant of an ISO 8601 text with an offset; raises `InvalidInputError` naming `field`."""
    try:
        moment = datetime.fromisoformat(text)
    except (ValueError, TypeError):
        raise InvalidInputError(field, f"{text!r:.60} is not a time. Send one like 2026-01-31T09:30:00Z.") from None
    return from_datetime(field, moment)


def from_datetime(field: str, moment: datetime) -> int:
    """Return the instant of an aware datetime; a naive one is refused, since its zone would be a guess."""
    if moment.utcoffset() is None:
        raise InvalidInputError(field, f"{moment.isoformat()} has no time zone. Add one, such as Z for UTC.")
    try:
        instant = (moment.astimezone(UTC) - _EPOCH) // timedelta(microseconds=1)
    except OverflowError:
        instant = -1
    if not 0 <= instant <= INSTANT_MAX:
        raise InvalidInputError(field, f"{moment.isoformat()} is out of range. Send a time from 1970 to 9999.")
    return instant


def to_datetime(instant: int) -> datetime:
    """Return the aware UTC datetime of an instant."""
    return _EPOCH + timedelta(microseconds=instant)


def to_optional_datetime(instant: int | None) -> datetime | None:
    """Return the aware UTC datetime of an instant, None for None."""
    return None if instant is None else to_datetime(instant)

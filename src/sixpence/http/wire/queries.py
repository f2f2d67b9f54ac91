"""Query strings: every parameter must be known and sent once; the arguments of reads."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request

from sixpence.core.errors import InvalidInputError
from sixpence.core.values.bounds import AMOUNT_MAX, shown
from sixpence.core.values.instant import from_wire, to_datetime
from sixpence.ledger.reads.accounts import PAGE_MAX
from sixpence.service.requests.paging import PAGE_SIZE

HISTORY = ("limit", "cursor", "feature", "kind", "since", "until")
# The format of a statement by the media type that a request accepts.
STATEMENT_TYPES = {"application/json": "json", "text/plain": "text", "text/csv": "csv"}


def history_query(request: Request) -> dict[str, Any]:
    """The arguments of `get_credit_history` that a query string names."""
    query = _query(request, HISTORY)
    arguments: dict[str, Any] = {name: query[name] for name in ("cursor", "feature", "kind") if name in query}
    arguments.update(_instants(query, ("since", "until")))
    return {"limit": _limit(query), **arguments}


def usage_query(request: Request) -> dict[str, date]:
    """The arguments of `get_usage` that a query string names."""
    return {name: _day(name, text) for name, text in _query(request, ("since", "until")).items()}


def balance_query(request: Request) -> dict[str, datetime]:
    """The arguments of `balance_at` that a query string names."""
    return _instants(_query(request, ("at",)), ("at",))


def statement_query(request: Request) -> tuple[dict[str, datetime], str]:
    """The period of a statement, and its format: by the parameter `format`, else by the header Accept."""
    query = _query(request, ("since", "until", "format"))
    form = query.get("format")
    if form is None:
        accepted = (each.partition(";")[0].strip().lower() for each in request.headers.get("accept", "").split(","))
        form = next((STATEMENT_TYPES[each] for each in accepted if each in STATEMENT_TYPES), "json")
    elif form not in STATEMENT_TYPES.values():
        raise InvalidInputError("format", f"{shown(form)} is not one of {', '.join(STATEMENT_TYPES.values())}.")
    return _instants(query, ("since", "until")), form


def limit_query(request: Request) -> int:
    """The limit of a list that has no other parameter."""
    return _limit(_query(request, ("limit",)))


def estimate_query(request: Request) -> dict[str, Any]:
    """The arguments of `estimate` that a query string names."""
    query = _query(request, ("feature", "units"))
    if "feature" not in query:
        raise InvalidInputError("feature", "is missing. Send it: ?feature=NAME.")
    units = query.get("units")
    if units is not None and not _is_number(units, 16):
        raise InvalidInputError("units", f"{shown(units)} is not a whole number from 0 to {AMOUNT_MAX}.")
    return {"feature": query["feature"], "units": None if units is None else int(units)}


def checkpoint_query(request: Request) -> int | None:
    """The number of a checkpoint, None for the newest."""
    number = _query(request, ("number",)).get("number")
    if number is not None and not _is_number(number, 15):
        raise InvalidInputError("number", f"{shown(number)} is not a whole number from 1.")
    return None if number is None else int(number)


def _limit(query: dict[str, str]) -> int:
    limit = query.get("limit", str(PAGE_SIZE))
    if not _is_number(limit, 6):
        raise InvalidInputError("limit", f"{shown(limit)} is not a whole number from 1 to {PAGE_MAX}.")
    return int(limit)


def _instants(query: dict[str, str], names: Sequence[str]) -> dict[str, datetime]:
    """The times that a query names."""
    return {name: to_datetime(from_wire(name, query[name])) for name in names if name in query}


def _day(name: str, text: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = None
    # Python accepts other forms of ISO 8601, too, such as weeks.
    if day is None or day.isoformat() != text:
        raise InvalidInputError(name, f"{shown(text)} is not a day. Send one like 2026-11-01.")
    return day


def _is_number(text: str, digits_max: int) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= digits_max


def _query(request: Request, known: Sequence[str]) -> dict[str, str]:
    try:
        text = request.scope["query_string"].decode("utf-8")
        pairs = parse_qsl(text, keep_blank_values=True, errors="strict")
    except UnicodeDecodeError:
        raise InvalidInputError("query", "is not UTF-8. Percent-encode the UTF-8 bytes of each value.") from None
    query = dict(pairs)
    for name in query:
        if name not in known:
            remedy = f"Leave it out; known: {', '.join(known)}."
            raise InvalidInputError(name[:60], f"is not a parameter of this request. {remedy}")
    if len(query) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in known if names.count(name) > 1)
        raise InvalidInputError(twice, f"was sent {names.count(twice)} times. Send it once.")
    return query

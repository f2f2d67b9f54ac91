"""`ServedLedger`: the books of a `sixpence serve` that runs, read over HTTP with an API key."""

from typing import Any, TypeVar
from urllib.parse import quote

import msgspec

from sixpence.testing.races.books import REASON, Entry, State
from sixpence.testing.races.calls import Call, bytes_of, place_at
from sixpence.testing.races.errors import RaceError
from sixpence.testing.races.wire import Line, NoAnswerError

T = TypeVar("T")

_TIMEOUT_SECONDS = 30.0


class _Page(msgspec.Struct):
    transactions: list[Entry]
    next_cursor: str | None


class ServedLedger:
    """The ledger behind `url`, where `sixpence serve` listens; `api_key` is one of `sixpence key create`."""

    def __init__(self, url: str, *, api_key: str) -> None:
        self._place = place_at(url)
        self._headers = {"Authorization": f"Bearer {api_key}"}

    async def open(self, account_id: str) -> None:
        """Make the account if it is not there yet."""
        await self._ask("POST", "/v1/accounts", {"account_id": account_id})

    async def state(self, account_id: str) -> State:
        """The account now."""
        return _read(await self._ask("GET", _path(account_id)), State)

    async def page(self, account_id: str, cursor: str | None) -> tuple[list[Entry], str | None]:
        """A page of its transactions, newest first, and where the next one begins."""
        query = "" if cursor is None else f"?cursor={quote(cursor)}"
        page = _read(await self._ask("GET", f"{_path(account_id)}/transactions{query}"), _Page)
        return page.transactions, page.next_cursor

    async def adjust(self, account_id: str, amount: int) -> None:
        """Give or take credits."""
        await self._ask("POST", f"{_path(account_id)}/adjust", {"amount": amount, "reason": REASON})

    async def _ask(self, method: str, path: str, body: Any = None) -> bytes:
        call = Call(method, path, json=body, headers=self._headers)
        try:
            line = await Line.open(self._place, timeout_seconds=_TIMEOUT_SECONDS)
            try:
                await line.send(bytes_of(call, self._place))
                answer = await line.read_answer(method, timeout_seconds=_TIMEOUT_SECONDS)
            finally:
                line.cut()
        except NoAnswerError as error:
            raise RaceError(f"The ledger at {self._place} does not answer: {error}. Is `sixpence serve` up?") from error
        if answer.status >= 400:
            said = answer.body.decode(errors="replace")[:200]
            raise RaceError(f"The ledger at {self._place} refused {call} with {answer.status}: {said}")
        return answer.body


def _path(account_id: str) -> str:
    return f"/v1/accounts/{quote(account_id, safe='')}"


def _read(body: bytes, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.MsgspecError as error:
        raise RaceError(f"What the ledger's server answered is not Sixpence's: {error}. Is the URL its own?") from error

"""`ServedLedger`: the ledger of a running `sixpence serve`, over HTTP with an API key."""

from typing import Any, TypeVar
from urllib.parse import quote

import msgspec

from sixpence.testing.races.client.address import address_from_url
from sixpence.testing.races.client.calls import Call, encode_request
from sixpence.testing.races.client.connection import Connection, NoAnswerError
from sixpence.testing.races.errors import RaceError
from sixpence.testing.races.ledgers.ledger import REASON, AccountState, Transaction

T = TypeVar("T")

_TIMEOUT_SECONDS = 30.0


class _Page(msgspec.Struct):
    transactions: list[Transaction]
    next_cursor: str | None


class ServedLedger:
    """The ledger of the `sixpence serve` at `url`; `api_key` is from `sixpence key create`."""

    def __init__(self, url: str, *, api_key: str) -> None:
        self._address = address_from_url(url)
        self._headers = {"Authorization": f"Bearer {api_key}"}

    async def open(self, account_id: str) -> None:
        """Create the account if it does not exist."""
        await self._request("POST", "/v1/accounts", {"account_id": account_id})

    async def state(self, account_id: str) -> AccountState:
        """The account's current state."""
        return _decode(await self._request("GET", _path(account_id)), AccountState)

    async def page(self, account_id: str, cursor: str | None) -> tuple[list[Transaction], str | None]:
        """A page of the account's transactions, newest first, and the cursor of the next page."""
        query = "" if cursor is None else f"?cursor={quote(cursor)}"
        page = _decode(await self._request("GET", f"{_path(account_id)}/transactions{query}"), _Page)
        return page.transactions, page.next_cursor

    async def adjust(self, account_id: str, amount: int) -> None:
        """Add credits, or take them if the amount is below zero."""
        await self._request("POST", f"{_path(account_id)}/adjust", {"amount": amount, "reason": REASON})

    async def _request(self, method: str, path: str, body: Any = None) -> bytes:
        call = Call(method, path, json=body, headers=self._headers)
        try:
            connection = await Connection.open(self._address, timeout_seconds=_TIMEOUT_SECONDS)
            try:
                await connection.send(encode_request(call, self._address))
                answer = await connection.read_answer(method, timeout_seconds=_TIMEOUT_SECONDS)
            finally:
                connection.abort()
        except NoAnswerError as error:
            problem = f"The ledger at {self._address} does not answer: {error}."
            raise RaceError(f"{problem} Is `sixpence serve` running?") from error
        if answer.status >= 400:
            problem = answer.body.decode(errors="replace")[:200]
            raise RaceError(f"The ledger at {self._address} refused {call} with {answer.status}: {problem}")
        return answer.body


def _path(account_id: str) -> str:
    return f"/v1/accounts/{quote(account_id, safe='')}"


def _decode(body: bytes, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.MsgspecError as error:
        raise RaceError(f"The answer of the ledger's server is not Sixpence's: {error}. Is the URL right?") from error

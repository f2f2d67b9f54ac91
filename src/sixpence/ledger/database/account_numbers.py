"""Account numbers: a hash of 63 bits of the id, with the next number tried after a collision."""

from collections.abc import Callable, Iterable, Mapping
from typing import Protocol, TypeVar

from sixpence.core.errors import BrokenLedgerError
from sixpence.core.values.bounds import account_no


class Numbered(Protocol):
    """A row with an account's id."""

    @property
    def account_id(self) -> str:
        """The account's id."""


Found = TypeVar("Found", bound=Numbered)

# One collision is unlikely below a hundred million accounts; four in a row point to another fault.
ATTEMPTS_MAX = 4


def load_by_id(
    account_ids: Iterable[str], load: Callable[[Mapping[int, str]], Mapping[int, Found]]
) -> dict[str, Found]:
    """Load accounts by id: `load` gets the ids by number. Where a number belongs to another id, the next is tried."""
    found: dict[str, Found] = {}
    wanted = list(account_ids)
    for attempt in range(ATTEMPTS_MAX):
        by_no: dict[int, str] = {}
        # Two wanted ids with one number: the earlier one takes it first, the later one tries the next number.
        hidden = [name for name in wanted if by_no.setdefault(account_no(name, attempt), name) != name]
        rows = load(by_no)
        collided = []
        for number, account_id in by_no.items():
            account = rows.get(number)
            if account is not None and account.account_id != account_id:
                collided.append(account_id)
            elif account is not None:
                found[account_id] = account
        wanted = collided + hidden
        if not wanted:
            return found
    raise BrokenLedgerError(f"account numbers of {wanted} collide {ATTEMPTS_MAX} times")

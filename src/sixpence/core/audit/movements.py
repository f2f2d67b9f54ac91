"""Which movements a row of each kind may carry, and the sign of each, in one table.

Not here: the effect of a movement (`account.movement`), the sums (`account.apply`), and what may be spent (`audit`).
"""

from collections.abc import Iterable, Mapping
from typing import NoReturn

from sixpence.core.account.movement import Allocation, Movement
from sixpence.core.account.transaction import Detail, Kind, Transaction, grant_id
from sixpence.core.errors import BrokenLedgerError

# Arriving credits, and those that a hold gives back, first pay the debt.
_ARRIVES: tuple[Movement, ...] = ("granted", "repaid")
_GIVEN_BACK: tuple[Movement, ...] = ("released", "lapsed", "repaid")

MOVEMENTS: Mapping[Kind, tuple[Movement, ...]] = {
    "signup": _ARRIVES,
    "ensure": (),
    "grant": (*_ARRIVES, "scheduled"),
    "consume": ("consumed",),
    "hold": ("held",),
    "hold_extend": (),
    "capture": (*_GIVEN_BACK, "captured", "consumed"),
    "release": _GIVEN_BACK,
    "hold_expire": _GIVEN_BACK,
    "refund": ("refunded", "withheld", "repaid"),
    "void": ("voided", "unscheduled", "charged_back"),
    "adjust": (*_ARRIVES, "adjusted"),
    "plan_change": (*_ARRIVES, "expired", "trimmed"),
    "allowance": _ARRIVES,
    "rollover": ("granted", "rolled", "expired"),
    "take_effect": ("took_effect", "repaid"),
    "expire": ("expired",),
    "freeze": (),
    "unfreeze": (),
    "close": ("voided", "unscheduled"),
}
# All other movements take away. `repaid` takes from a grant and lowers the debt by as much.
_BRINGS = frozenset(("granted", "scheduled", "took_effect", "released", "refunded", "withheld"))


def check_moves(row: Transaction, detail: Detail, moves: tuple[Allocation, ...]) -> None:
    """Raise `BrokenLedgerError` for the first movement that such a row may not carry."""
    allowed = MOVEMENTS.get(row.kind)
    if allowed is None:
        raise_broken(row, f"is of the unknown kind '{row.kind}'")
    made = {grant_id(row.id, place) for place in range(len(detail.grants))} if detail.grant is not None else ()
    repaid = 0
    for move in moves:
        movement = move.movement
        if movement not in allowed:
            raise_broken(row, f"is of the kind '{row.kind}' and moves what is '{movement}'")
        if movement == "repaid":
            repaid += move.amount
        elif move.amount < 0 if movement in _BRINGS else move.amount > 0:
            raise_broken(row, f"moves {move.amount} that is '{movement}', which goes the other way")
        if movement in ("granted", "scheduled") and move.grant_id not in made:
            raise_broken(row, f"gives to grant '{move.grant_id}', which it does not make")
    if repaid:
        raise_broken(row, f"pays {repaid} of what is owed out of nothing")


def sum_moved(moves: Iterable[Allocation], *movements: Movement) -> int:
    """Return how much these movements move together."""
    total = 0
    for move in moves:
        if move.movement in movements:
            total += move.amount
    return total


def raise_broken(row: Transaction, how: str) -> NoReturn:
    """Raise `BrokenLedgerError` about the row."""
    raise BrokenLedgerError(f"transaction {row.seq} {how}")

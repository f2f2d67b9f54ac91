"""When a row may come: what was due comes before anything else, each thing at its instant and in its order.

From the rows alone (invariant 18): what time does to an account, and in which order, is decided in `rules.due`.
"""

from sixpence.core.account.account import Account
from sixpence.core.account.grant import Grant
from sixpence.core.account.hold import Hold
from sixpence.core.account.movement import Allocation
from sixpence.core.account.subscription import Subscription
from sixpence.core.account.transaction import Detail, Transaction
from sixpence.core.audit.movements import broken
from sixpence.core.rules.due import first_due

_BY_TIME = frozenset(("hold_expire", "expire", "rollover", "allowance", "take_effect"))
_WHEN_DUE = _BY_TIME | {"plan_change"}


def check_time(before: Account, row: Transaction, detail: Detail, moves: tuple[Allocation, ...]) -> None:
    """Raise `BrokenLedgerError` for a row that comes before what is due, or at no time that is its own."""
    due_at = before.next_due_at
    if due_at is None or row.created_at < due_at:
        if row.kind in _BY_TIME:
            broken(row, f"is of the kind '{row.kind}' at an instant at which nothing was due")
        return
    if due_at < row.created_at:
        broken(row, f"passes over what was due at {due_at}")
    if row.kind not in _WHEN_DUE or row.idempotency_key is not None:
        broken(row, f"comes before what was due at {due_at}")
    due = first_due(before, due_at)
    if not _is_of(due, row, detail, moves):
        broken(row, f"comes before {_named(due)}, which was due first at {due_at}")


def _is_of(due: Hold | Grant | Subscription, row: Transaction, detail: Detail, moves: tuple[Allocation, ...]) -> bool:
    if isinstance(due, Subscription):
        waited = due.waiting and row.created_at >= due.ends_at
        return row.kind == ("plan_change" if waited else "allowance")
    # An expiry did not always say its grant beside its movements; what takes effect never does.
    about = detail.about if detail.about is not None or not moves else moves[0].grant_id
    if about != due.id:
        return False
    if isinstance(due, Hold):
        return row.kind == "hold_expire"
    return row.kind == "take_effect" if due.pending else row.kind in ("expire", "rollover")


def _named(due: Hold | Grant | Subscription) -> str:
    if isinstance(due, Subscription):
        return "the plan's term"
    return f"hold '{due.id}'" if isinstance(due, Hold) else f"grant '{due.id}'"

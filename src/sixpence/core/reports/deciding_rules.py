"""Which rules decided a transaction, found from its row, by the names that an explanation uses.

A name here is what an explanation calls a rule. Not here: the rules themselves (`rules`).
"""

from collections.abc import Iterator, Mapping

from sixpence.core.account.movement import OVERDRAFT, Allocation
from sixpence.core.account.transaction import Detail, Kind, Transaction

# The rule of the command, or of the change that was due.
RULES: Mapping[Kind, str] = {
    "signup": "sign-up",
    "ensure": "ensure",
    "grant": "grant",
    "consume": "consume",
    "hold": "hold",
    "hold_extend": "extend",
    "capture": "capture",
    "release": "release",
    "hold_expire": "hold expiry",
    "refund": "refund",
    "void": "void",
    "adjust": "adjust",
    "plan_change": "plan change",
    "allowance": "allowance",
    "rollover": "rollover",
    "take_effect": "take effect",
    "expire": "expiry",
    "freeze": "freeze",
    "unfreeze": "unfreeze",
    "close": "close",
}
_SPENDS = ("consumed", "held", "adjusted")


def rules_of(row: Transaction, detail: Detail, moves: tuple[Allocation, ...]) -> tuple[str, ...]:
    """Return the rules that decided the row: the rule of its kind first, then the others."""
    return (RULES[row.kind], *_more(row, detail, moves))


def _more(row: Transaction, detail: Detail, moves: tuple[Allocation, ...]) -> Iterator[str]:
    movements = {move.movement for move in moves}
    if detail.late:
        yield "late capture"
    if is_free(row, detail):
        yield "unlimited plan"
    if detail.mark is not None:
        yield "fair use"
    if any(move.movement in _SPENDS and move.amount < 0 and move.grant_id != OVERDRAFT for move in moves):
        yield "burn-down"
    if any(move.movement in ("consumed", "held", "captured") and move.grant_id == OVERDRAFT for move in moves):
        yield "overdraft"
    if detail.beyond is not None:
        yield "beyond the hold"
    if row.kind in ("signup", "plan_change") and any(terms.by_plan is not None for terms in detail.grants):
        yield "allowance"
    if row.kind == "plan_change" and detail.subscription is not None and detail.subscription.trial:
        yield "trial"
    if "trimmed" in movements:
        yield "rollover cap"
    if row.kind == "refund" and detail.grants:
        yield "grace grant"
    if "withheld" in movements:
        yield "refund to a cancelled grant"
    if "lapsed" in movements:
        yield "lapse"
    if "charged_back" in movements:
        yield "revoke spent"
    if "repaid" in movements:
        yield "what is owed is paid first"


def is_free(row: Transaction, detail: Detail) -> bool:
    """Return whether a use with a price cost nothing because the plan pays for it."""
    if detail.hold is not None:
        return detail.hold.covered
    is_use = row.kind in ("consume", "capture")
    return is_use and bool(detail.price) and not row.credits_consumed and not detail.shortfall

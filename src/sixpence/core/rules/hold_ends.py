"""The end of a hold: its credits are released or lapse, and its use no longer counts.

Not here: the commands that end a hold, and what they charge (`holds`).
"""

from sixpence.core.account.account import Account
from sixpence.core.account.change import Change
from sixpence.core.account.fair_use import Mark
from sixpence.core.account.hold import Hold, Part
from sixpence.core.account.movement import Allocation
from sixpence.core.account.transaction import Detail
from sixpence.core.rules.context import repay_debt


def expire_hold(account: Account, hold: Hold) -> Change:
    """Return the change of an open hold that times out."""
    return Change(
        kind="hold_expire",
        at=hold.terms.expires_at,
        allocations=give_back(account, hold.parts),
        detail=Detail(about=hold.id, mark=uncount_use(hold)),
        feature_used=hold.terms.feature,
    )


def give_back(account: Account, parts: tuple[Part, ...]) -> tuple[Allocation, ...]:
    """Return the movements that end the held parts: released, or lapsed where the grant is over (invariant 8)."""
    by_id = {grant.id: grant for grant in account.grants}
    moves, arrivals = [], []
    for name, part in parts:
        grant = by_id.get(name)
        if grant is not None and grant.over is not None:
            moves.append(Allocation(name, "lapsed", -part))
            continue
        moves.append(Allocation(name, "released", part))
        if grant is not None and grant.features is None:
            arrivals.append((name, part))
    return (*moves, *repay_debt(account, arrivals))


def uncount_use(hold: Hold) -> Mark | None:
    """Return the mark that gives back the use that a hold counted as."""
    return None if hold.mark is None else Mark(hold.mark.step_seconds, hold.mark.at, -1)

"""What a hold leaves when it ends, whoever ends it: credits that come back or lapse, and a use that does not count.

Which commands end a hold, and what they charge, stands in `holds`.
"""

from sixpence.core.account.account import Account
from sixpence.core.account.change import Change
from sixpence.core.account.fair_use import Mark
from sixpence.core.account.hold import Hold, Part
from sixpence.core.account.movement import Allocation
from sixpence.core.account.transaction import Detail
from sixpence.core.rules.context import repaid


def timed_out(account: Account, hold: Hold) -> Change:
    """What an open hold leaves when its time is up."""
    return Change(
        kind="hold_expire",
        at=hold.terms.expires_at,
        allocations=given_back(account, hold.parts),
        detail=Detail(about=hold.id, mark=uncounted(hold)),
        feature_used=hold.terms.feature,
    )


def given_back(account: Account, parts: tuple[Part, ...]) -> tuple[Allocation, ...]:
    """What a hold gives back: to be spent again, or gone at once where the grant is over (invariant 8)."""
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
    return (*moves, *repaid(account, arrivals))


def uncounted(hold: Hold) -> Mark | None:
    """The use that a hold counted as, given back."""
    return None if hold.mark is None else Mark(hold.mark.step_seconds, hold.mark.at, -1)

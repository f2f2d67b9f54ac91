"""Fair use as lists of uses, one for each `per`: each in its step of a sixtieth, gone when its whole step has left."""

from sixpence.core.catalog.catalog import Plan
from tests.core.reference.memory import FairUse, Memory

_SECONDS = {"hour": 3_600, "day": 86_400, "month": 30 * 86_400}
_SECOND = 1_000_000


def step_seconds_of(plan: Plan) -> int | None:
    """How long a step is under this plan; None for a plan without fair use."""
    return None if plan.fair_use is None else _SECONDS[plan.fair_use.per] // 60


def count_use(memory: Memory, plan: Plan, now: int) -> FairUse | None:
    """Remember a use; those in steps of another length stay."""
    seconds = step_seconds_of(plan)
    if seconds is None:
        return None
    use = FairUse(seconds, now // (seconds * _SECOND))
    memory.uses.setdefault(seconds, []).append(use)
    return use


def forget_use(use: FairUse | None) -> None:
    """Give a use back, because its hold came to nothing."""
    if use is not None:
        use.given_back = True


def uses_left_by(memory: Memory, plan: Plan, now: int) -> list[int]:
    """The instants at which each use that counts now will have left, soonest first."""
    seconds = step_seconds_of(plan)
    assert seconds is not None
    leaves = [use.leaves_at() for use in memory.uses.get(seconds, []) if not use.given_back]
    return sorted(at for at in leaves if now < at)


def opens_at(memory: Memory, plan: Plan, now: int) -> int | bool | None:
    """Whether one more use fits: True, or the instant from which it does, or None for never."""
    assert plan.fair_use is not None
    leaving = uses_left_by(memory, plan, now)
    if len(leaving) + 1 <= plan.fair_use.uses:
        return True
    return leaving[len(leaving) - plan.fair_use.uses] if plan.fair_use.uses else None

"""The random commands of a step, drawn one choice at a time, with a bias to edge cases.

Everything is drawn through `choose`, so that Hypothesis and a plain random generator draw in the same way. Commands
name rows, holds and gifts by their numbers; `with_ids` replaces the numbers by the ledger's ids.
"""

from collections.abc import Callable, Mapping
from typing import Any, get_args

import msgspec

from sixpence.core.account.commands import (
    Adjust,
    CancelPlan,
    CaptureHold,
    ChangePlan,
    Close,
    Command,
    Consume,
    EnsureAccount,
    ExtendHold,
    Freeze,
    GrantCredits,
    PlaceHold,
    Refund,
    ReleaseHold,
    Tick,
    Unfreeze,
    VoidGrant,
)
from sixpence.core.account.grant import Category
from sixpence.core.catalog.price import Usage
from sixpence.core.values.bounds import AMOUNT_MAX
from sixpence.core.values.instant import SECOND
from tests.core.reference import Reference
from tests.lockstep.catalogs import FEATURES, FIRST, PLANS, USAGES
from tests.lockstep.choices import Choose

_NOBODY = "nobody"
_CATEGORIES: tuple[Category, ...] = get_args(Category)
_LENGTHS = (1, SECOND, 60 * SECOND, 3600 * SECOND, 86_400 * SECOND, 40 * 86_400 * SECOND)
_KINDS = {
    Consume: 14,
    GrantCredits: 12,
    PlaceHold: 12,
    CaptureHold: 10,
    ReleaseHold: 3,
    ExtendHold: 3,
    Refund: 9,
    VoidGrant: 4,
    Adjust: 3,
    ChangePlan: 12,
    CancelPlan: 3,
    Freeze: 1,
    Unfreeze: 2,
    EnsureAccount: 1,
    Tick: 3,
}
_OVERDRAWN = tuple(name for name, plan in FIRST.plans.items() if plan.overdraft)
_OF_HOLDS = (CaptureHold, ReleaseHold, ExtendHold)
_WEIGHTED = [kind for kind, weight in _KINDS.items() for _ in range(weight)]


class KeyedCommand(msgspec.Struct, frozen=True):
    """A command with numbers for ids, and its idempotency key, if any."""

    command: Command
    key: str | None = None


def draw_keyed_command(
    choose: Choose, reference: Reference, now: int, keys: Mapping[str, KeyedCommand]
) -> KeyedCommand:
    """A random command for the account; now and then an earlier one, or a new one with an earlier key."""
    earlier = keys[choose(sorted(keys))] if keys and choose(range(16)) == 0 else None
    if earlier is not None and choose([True, True, False]):
        return earlier
    command = draw_command(choose, reference, now)
    if earlier is not None and not isinstance(command, Tick):
        return KeyedCommand(command, earlier.key)
    keyed = not isinstance(command, Tick) and choose([True, False])
    return KeyedCommand(command, f"key {len(keys) + 1}" if keyed else None)


def draw_command(choose: Choose, reference: Reference, now: int) -> Command:
    """A random command, with numbers for ids."""
    if not reference.rows and choose(range(6)):
        return EnsureAccount()
    if reference.memory.standing == "frozen" and _open_holds(reference, now) and choose(range(4)) > 0:
        return _draw_capture(choose, reference, now)
    if reference.memory.standing == "frozen" and choose(range(3)) == 0:
        return Unfreeze()
    for candidates in (_voids_of_spent(reference), _refunds_of_expired(reference, now), _uses_of_expiring(reference)):
        if candidates and reference.memory.standing != "closed" and choose(range(4)) == 0:
            return choose(candidates)
    rarely = 80 if _open_holds(reference, now) and reference.memory.plan in _OVERDRAWN else 500
    kind = Close if choose(range(rarely)) == rarely - 1 else choose(_WEIGHTED)
    if reference.memory.standing == "closed" and _open_holds(reference, now) and choose([True, False]):
        kind = CaptureHold
    if reference.memory.plan in ("club", "pro") and choose([True, False]):
        kind = choose([Consume, Consume, Consume, PlaceHold, ChangePlan])
    if _open_holds(reference, now) and choose(range(10)) == 0:
        return Freeze()
    if reference.memory.aside and choose(range(4)) == 0:
        kind = ChangePlan
    if _open_holds(reference, now) and choose(range(4)) == 0:
        kind = choose([CaptureHold, CaptureHold, ReleaseHold, ExtendHold])
    if kind in _OF_HOLDS and not _open_holds(reference, now) and choose([True, True, False]):
        kind = PlaceHold
    if kind is GrantCredits:
        return _draw_grant(choose, now)
    if kind is Consume:
        feature = choose(FEATURES)
        return Consume(feature=feature, usage=_draw_usage(choose, feature))
    if kind is PlaceHold:
        feature, amount = choose(FEATURES), choose([None, None, 1, 2, 5, 0, max(1, reference.memory.remaining())])
        usage = Usage() if amount is not None else _draw_usage(choose, feature)
        return PlaceHold(feature=feature, ttl_seconds=_draw_seconds(choose), usage=usage, amount=amount)
    if kind is CaptureHold:
        return _draw_capture(choose, reference, now)
    if kind is ReleaseHold:
        return ReleaseHold(hold_id=_draw_hold(choose, reference, now))
    if kind is ExtendHold:
        return ExtendHold(hold_id=_draw_hold(choose, reference, now), ttl_seconds=_draw_seconds(choose))
    if kind is Refund:
        return Refund(transaction_id=_draw_spent(choose, reference), amount=choose([None, None, 1, 1, 2, 3, 9]))
    if kind is VoidGrant:
        return VoidGrant(grant_id=_draw_gift(choose, reference), revoke_spent=choose([False, True, True]))
    if kind is Adjust:
        return Adjust(amount=choose([4, 1, -1, -2, -5, -50]), reason="counted again", actor="ada@example.com")
    if kind is ChangePlan:
        return _draw_plan(choose, reference)
    kinds: dict[type, Command] = {
        CancelPlan: CancelPlan(),
        Freeze: Freeze(),
        Unfreeze: Unfreeze(),
        Close: Close(),
        EnsureAccount: EnsureAccount(),
        Tick: Tick(),
    }
    return kinds[kind]


def with_ids(command: Command, ids: Mapping[str, str]) -> Command:
    """The command with ids for numbers; an unknown number becomes an unknown id."""
    return _renamed(command, lambda name: ids.get(name, "018f0000-0000-7000-8000-000000000000"))


def with_known(command: Command, ids: Mapping[str, str]) -> Command:
    """The command by numbers, without those of future rows; so it cannot name a row that it creates."""
    return _renamed(command, lambda name: name if name in ids else _NOBODY)


def _renamed(command: Command, rename: Callable[[str], str]) -> Command:
    fields = [name for name in ("hold_id", "transaction_id", "grant_id") if hasattr(command, name)]
    names: dict[str, Any] = {field: rename(getattr(command, field)) for field in fields}
    return msgspec.structs.replace(command, **names) if names else command


def _draw_grant(choose: Choose, now: int) -> GrantCredits:
    from_in = choose([None, None, None, -SECOND, 0, *_LENGTHS])
    ends_in = choose([None, None, 0, SECOND, 60 * SECOND, 3600 * SECOND, *_LENGTHS])
    effective_at = None if from_in is None else now + from_in
    return GrantCredits(
        amount=choose([1, 2, 3, 5, 8] * 9 + [AMOUNT_MAX - 40, AMOUNT_MAX]),
        category=choose(_CATEGORIES),
        priority=choose([100, 100, 100, 99, 101]),
        effective_at=effective_at,
        expires_at=None if ends_in is None else (effective_at or now) + ends_in,
        features=choose([None, None, None, ("sketch",), ("video", "image"), ("video", "magic")]),
    )


def _draw_plan(choose: Choose, reference: Reference) -> ChangePlan:
    """A random plan. If a term was suspended, often one of the same period; else often a high one without a period."""
    periods = {term.period for term in reference.memory.aside}
    back = [name for name, plan in FIRST.plans.items() if plan.period in periods]
    if back and choose(range(2)) == 0:
        return ChangePlan(plan=choose(back))
    if not back and choose(range(5)) == 0:
        return ChangePlan(plan=choose(["postpaid", "pro", "max"]))
    return ChangePlan(plan=choose(PLANS), trial=choose([False, False, True]))


def _draw_capture(choose: Choose, reference: Reference, now: int) -> CaptureHold:
    name = _draw_hold(choose, reference, now)
    hold = reference.memory.holds.get(int(name)) if name.isdigit() else None
    held = 1 if hold is None else hold.amount()
    how = choose(["all", "amount", "amount", "usage"])
    feature = "sketch" if hold is None else hold.feature
    return CaptureHold(
        hold_id=name,
        amount=choose([max(0, held - 1), held, held + 1, held + 4, 0]) if how == "amount" else None,
        usage=_draw_usage(choose, feature) if how == "usage" else None,
        mode=choose(["exact", "up_to_available"]),
        late=choose([False, False, True]),
    )


def _draw_usage(choose: Choose, feature: str) -> Usage:
    return choose([Usage(), *USAGES.get(feature, (Usage(units=2),))])


def _draw_seconds(choose: Choose) -> int:
    return choose([1, 60, 60, 3600, 3600, 86_400, 40 * 86_400])


def _open_holds(reference: Reference, now: int) -> list[int]:
    holds = reference.memory.holds.items()
    return [number for number, hold in holds if hold.ended is None and now < hold.until_at]


def _draw_hold(choose: Choose, reference: Reference, now: int) -> str:
    options = [str(number) for number in _open_holds(reference, now) * 3 + list(reference.memory.holds)[-3:]]
    return choose([*options, *options, _NOBODY])


def _draw_spent(choose: Choose, reference: Reference) -> str:
    spent = [str(number) for number, row in enumerate(reference.rows, 1) if row.consumed]
    anything = [str(number) for number in range(max(1, len(reference.rows) - 4), len(reference.rows) + 1)]
    return choose([*spent[-12:], *spent[-3:], *anything, _NOBODY])


def _refunds_of_expired(reference: Reference, now: int) -> list[Command]:
    """Refunds of uses whose bought credits would have expired by now."""
    memory = reference.memory
    bought = [gift for gift in memory.gifts.values() if gift.by_plan is None and gift.until_at is not None]
    over = {gift.name for gift in bought if (gift.until_at or 0) <= now and not memory.was_cancelled(gift)}
    refunded = {number for number, _ in memory.refunds}
    spent = [
        str(number)
        for number, row in enumerate(reference.rows, 1)
        if row.consumed and number not in refunded and any(of in over for of, _, _ in row.moves)
    ]
    return [Refund(transaction_id=number, amount=amount) for number in spent[-2:] for amount in (None, None, 1)]


def _voids_of_spent(reference: Reference) -> list[Command]:
    """Voids of bought gifts whose grace grants were spent, or of the grace grants; else of spent gifts.

    Gifts that expire are left out, so that they can be refunded after their expiry.
    """
    memory = reference.memory
    grace_grants = [gift for gift in memory.gifts.values() if gift.instead_of is not None]
    used = [gift for gift in grace_grants if memory.left(gift.name) < gift.amount and not memory.was_cancelled(gift)]
    bought = [gift for gift in used if memory.gifts[gift.instead_of or ""].by_plan is None]
    names = [name for gift in bought for name in (gift.instead_of or "", gift.instead_of or "", gift.name)]
    lasting = [gift for gift in memory.gifts.values() if gift.by_plan is None and gift.until_at is None]
    spent = [gift.name for gift in lasting if memory.left(gift.name) < gift.amount]
    names += [name for name in spent[-1:] if not names and not memory.was_cancelled(memory.gifts[name])]
    return [VoidGrant(grant_id=name, revoke_spent=True) for name in names[-6:]]


def _uses_of_expiring(reference: Reference) -> list[Command]:
    """Uses of bought gifts that expire."""
    fresh = [gift for gift in reference.memory.in_effect() if gift.by_plan is None and gift.until_at is not None]
    return [Consume(feature="sketch" if gift.features is None else gift.features[0]) for gift in fresh[:3]]


def _draw_gift(choose: Choose, reference: Reference) -> str:
    gifts = reference.memory.gifts
    roots = sorted({gift.instead_of for gift in gifts.values() if gift.instead_of is not None})
    return choose([*list(gifts)[-14:], *list(gifts)[-3:], *roots[-4:], _NOBODY, "1"])

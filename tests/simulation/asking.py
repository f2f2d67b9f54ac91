"""What clients ask for: commands of every kind, valid and not, about what accounts have been seen to hold.

Drawn from what stands in the ledger at that moment, so that most commands name something that is there; by the time
they arrive it may be gone. Which commands the rules take is not known here.
"""

from collections import deque
from random import Random

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
from sixpence.core.account.transaction import Transaction
from sixpence.core.catalog.price import Usage
from sixpence.core.values.instant import SECOND
from tests.lockstep.world import FEATURES, PLANS, USAGES

_NOBODY = "018f0000-0000-7000-8000-000000000000"
_KNOWN_MAX = 8
_GIVES = ("grant", "signup", "allowance", "rollover", "refund", "adjust", "plan_change")
_WEIGHTS = {
    Consume: 30,
    GrantCredits: 14,
    PlaceHold: 14,
    CaptureHold: 11,
    ReleaseHold: 4,
    ExtendHold: 3,
    Refund: 8,
    VoidGrant: 3,
    Adjust: 3,
    ChangePlan: 5,
    CancelPlan: 1,
    Freeze: 1,
    Unfreeze: 1,
    EnsureAccount: 3,
    Tick: 2,
}
_KINDS, _CHANCES = list(_WEIGHTS), list(_WEIGHTS.values())
_CLOSES = 0.0015
_AMOUNTS = (1, 2, 3, 5, 8, 8, 20)
_LENGTHS = (1, 60, 3_600, 86_400, 40 * 86_400)


class Book:
    """What has been seen of one account: the ids of its newest holds, uses and grants, its keys, and how it stands."""

    __slots__ = ("grants", "holds", "keys", "made", "standing", "uses")

    def __init__(self) -> None:
        self.made = False
        self.standing = "open"
        self.holds: deque[str] = deque(maxlen=_KNOWN_MAX)
        self.uses: deque[str] = deque(maxlen=_KNOWN_MAX)
        self.grants: deque[str] = deque(maxlen=_KNOWN_MAX)
        self.keys: deque[str] = deque(maxlen=_KNOWN_MAX)

    def see(self, row: Transaction) -> None:
        """A row was committed."""
        self.made = True
        if row.kind == "hold":
            self.holds.append(row.id)
        elif row.kind in ("consume", "capture"):
            self.uses.append(row.id)
        elif row.kind in _GIVES:
            self.grants.append(row.id)
        elif row.kind in ("freeze", "unfreeze", "close"):
            self.standing = {"freeze": "frozen", "unfreeze": "open", "close": "closed"}[row.kind]


def draw_command(random: Random, book: Book, now: int) -> Command:
    """A command for an account of which this is known, at about this time (microseconds)."""
    if not book.made and random.random() < 0.8:
        return EnsureAccount(label=random.choice((None, "Ada")))
    if book.standing == "frozen" and random.random() < 0.2:
        return Unfreeze()
    if random.random() < _CLOSES:
        return Close(reason="moves away")
    kind = random.choices(_KINDS, _CHANCES)[0]
    simple: dict[type, Command] = {
        EnsureAccount: EnsureAccount(),
        CancelPlan: CancelPlan(),
        Freeze: Freeze(),
        Unfreeze: Unfreeze(),
        Tick: Tick(),
    }
    return simple[kind] if kind in simple else _draw(random, kind, book, now)


def _draw(random: Random, kind: type, book: Book, now: int) -> Command:
    if kind is Consume:
        feature = random.choice(FEATURES)
        return Consume(feature=feature, usage=_usage(random, feature))
    if kind is GrantCredits:
        return _grant(random, now)
    if kind is PlaceHold:
        feature, amount = random.choice(FEATURES), random.choice((None, 1, 2, 5))
        usage = _usage(random, feature) if amount is None else Usage()
        return PlaceHold(feature=feature, ttl_seconds=random.choice(_LENGTHS), usage=usage, amount=amount)
    if kind is CaptureHold:
        return CaptureHold(
            hold_id=_one(random, book.holds),
            amount=random.choice((None, None, 0, 1, 2, 9)),
            mode=random.choice(("exact", "up_to_available")),
            late=random.random() < 0.3,
        )
    if kind is ReleaseHold:
        return ReleaseHold(hold_id=_one(random, book.holds))
    if kind is ExtendHold:
        return ExtendHold(hold_id=_one(random, book.holds), ttl_seconds=random.choice(_LENGTHS))
    if kind is Refund:
        return Refund(transaction_id=_one(random, book.uses), amount=random.choice((None, 1, 1, 2)))
    if kind is VoidGrant:
        return VoidGrant(grant_id=_one(random, book.grants), revoke_spent=random.random() < 0.5)
    if kind is Adjust:
        return Adjust(amount=random.choice((4, 1, -1, -2, -50)), reason="counted again", actor="ada@example.com")
    return ChangePlan(plan=random.choice(PLANS), trial=random.random() < 0.3)


def _grant(random: Random, now: int) -> GrantCredits:
    begins = random.choice((None, None, None, 1, 3_600))
    ends = random.choice((None, None, 60, 3_600, 86_400, 40 * 86_400))
    effective_at = None if begins is None else now + begins * SECOND
    return GrantCredits(
        amount=random.choice(_AMOUNTS),
        category=random.choice(("promo", "admin", "paid", "refund")),
        priority=random.choice((100, 100, 99, 101)),
        effective_at=effective_at,
        expires_at=None if ends is None else (effective_at or now) + ends * SECOND,
        features=random.choice((None, None, None, ("sketch",), ("video", "image"))),
    )


def _usage(random: Random, feature: str) -> Usage:
    return random.choice((Usage(), *USAGES.get(feature, (Usage(units=2),))))


def _one(random: Random, known: deque[str]) -> str:
    return random.choice(known) if known and random.random() < 0.95 else _NOBODY

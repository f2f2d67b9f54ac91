"""The clients' commands: random ones of every kind, valid and invalid, about the known rows of accounts.

They are drawn from the ledger at that moment, so most name something that exists; it may be gone when they arrive. Not
here: which commands the rules accept.
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
from tests.lockstep.catalogs import FEATURES, PLANS, USAGES

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


class AccountRecord:
    """The known facts of one account: the ids of its newest holds, uses and grants, its keys, and its standing."""

    __slots__ = ("grants", "holds", "keys", "made", "standing", "uses")

    def __init__(self) -> None:
        self.made = False
        self.standing = "open"
        self.holds: deque[str] = deque(maxlen=_KNOWN_MAX)
        self.uses: deque[str] = deque(maxlen=_KNOWN_MAX)
        self.grants: deque[str] = deque(maxlen=_KNOWN_MAX)
        self.keys: deque[str] = deque(maxlen=_KNOWN_MAX)

    def see(self, row: Transaction) -> None:
        """Add the facts of a committed row."""
        self.made = True
        if row.kind == "hold":
            self.holds.append(row.id)
        elif row.kind in ("consume", "capture"):
            self.uses.append(row.id)
        elif row.kind in _GIVES:
            self.grants.append(row.id)
        elif row.kind in ("freeze", "unfreeze", "close"):
            self.standing = {"freeze": "frozen", "unfreeze": "open", "close": "closed"}[row.kind]


def draw_command(random: Random, record: AccountRecord, now: int) -> Command:
    """A random command for an account with these facts, at about this time (microseconds)."""
    if not record.made and random.random() < 0.8:
        return EnsureAccount(label=random.choice((None, "Ada")))
    if record.standing == "frozen" and random.random() < 0.2:
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
    return simple[kind] if kind in simple else _draw(random, kind, record, now)


def _draw(random: Random, kind: type, record: AccountRecord, now: int) -> Command:
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
            hold_id=_one(random, record.holds),
            amount=random.choice((None, None, 0, 1, 2, 9)),
            mode=random.choice(("exact", "up_to_available")),
            late=random.random() < 0.3,
        )
    if kind is ReleaseHold:
        return ReleaseHold(hold_id=_one(random, record.holds))
    if kind is ExtendHold:
        return ExtendHold(hold_id=_one(random, record.holds), ttl_seconds=random.choice(_LENGTHS))
    if kind is Refund:
        return Refund(transaction_id=_one(random, record.uses), amount=random.choice((None, 1, 1, 2)))
    if kind is VoidGrant:
        return VoidGrant(grant_id=_one(random, record.grants), revoke_spent=random.random() < 0.5)
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

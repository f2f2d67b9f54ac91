"""The memory of the reference: all that happened to an account, and the sums over it.

No balance is stored: what is left of a gift, held, owed and spendable is summed up at every request. Gifts are called
by the number of the row that gave them, "7", and "7.2" for the second gift of that row.
"""

from dataclasses import dataclass, field

from sixpence.core.catalog.catalog import Catalog, Plan, PricedBy
from sixpence.core.catalog.price import Usage

OVERDRAFT = "overdraft"
_ORDER_OF_CATEGORIES = ("plan", "signup", "promo", "refund", "admin", "paid")
_NOTHING_LEAVES = ("held", "released", "took_effect", "withheld")
_ENDS = ("expired", "rolled", "voided", "unscheduled")
_FOREVER = float("inf")

Move = tuple[str, str, int]


@dataclass
class Gift:
    """One gift of credits with its terms; `instead_of` is the first gift that it replaces, which had ended.

    `term` is the term that counts a plan's gift; `carried` says that it only continues an earlier gift of that term.
    """

    name: str
    amount: int
    category: str
    from_at: int
    until_at: int | None
    priority: int = 100
    features: tuple[str, ...] | None = None
    by_plan: str | None = None
    rolled: bool = False
    instead_of: str | None = None
    plan_over: bool = False
    voided_by_name: bool = False
    term: "Term | None" = field(default=None, repr=False)
    carried: bool = False

    def turn(self) -> tuple[int, float, int, int, tuple[int, str]]:
        """Its place in the burn-down order."""
        until_at = _FOREVER if self.until_at is None else self.until_at
        return self.priority, until_at, _ORDER_OF_CATEGORIES.index(self.category), self.from_at, self.age()

    def age(self) -> tuple[int, str]:
        """Which of two gifts came first."""
        number, _, place = self.name.partition(".")
        return int(number), place


@dataclass
class Hold:
    """Credits set aside for one use; `covered` is what an unlimited plan lets it use for nothing."""

    number: int
    feature: str
    priced_by: PricedBy
    until_at: int
    parts: list[tuple[str, int]]
    unlimited: bool
    covered: Usage | None
    worth: int
    use: "FairUse | None"
    ended: str | None = None
    ended_at: int = 0
    captured_late: bool = False

    def amount(self) -> int:
        """What was set aside."""
        return sum(part for _, part in self.parts)


@dataclass
class FairUse:
    """One use of an unlimited plan, in the step in which it was made."""

    step_seconds: int
    step: int
    given_back: bool = False

    def leaves_at(self) -> int:
        """When it stops counting: 60 steps after its own is over."""
        return (self.step + 1 + 60) * self.step_seconds * 1_000_000


@dataclass
class Term:
    """A term of a plan: `number` periods after the anchor, or a trial, which has no period.

    `offers` are the allowances of the plans that this term saw, `given` all that it gave. Under a plan that drips,
    `share` is the month that came last.
    """

    anchor: int
    period: str | None
    number: int
    ends_at: int
    offers: list[int] = field(default_factory=list)
    given: list[int] = field(default_factory=list)
    drip: bool = False
    share: int = 1
    next_plan: str | None = None
    cancelled: bool = False


@dataclass(frozen=True)
class Row:
    """The content of a ledger row, without its form."""

    kind: str
    at: int
    amount: int
    remaining: int
    total: int
    held: int
    plan: str
    moves: tuple[Move, ...] = ()
    feature: str | None = None
    consumed: int | None = None
    shortfall: int | None = None
    refunded: int | None = None


@dataclass
class Memory:
    """Everything that ever happened to one account."""

    gifts: dict[str, Gift] = field(default_factory=dict)
    moves: dict[str, list[tuple[str, int]]] = field(default_factory=dict)
    holds: dict[int, Hold] = field(default_factory=dict)
    uses: dict[int, list[FairUse]] = field(default_factory=dict)
    rows: list[Row] = field(default_factory=list)
    refunds: list[tuple[int, int]] = field(default_factory=list)
    plan: str = ""
    term: Term | None = None
    aside: list[Term] = field(default_factory=list)
    tried: list[str] = field(default_factory=list)
    standing: str = "open"
    gone: set[str] = field(default_factory=set)
    unwritten: list[Move] = field(default_factory=list)
    arrivals: list[tuple[str, int]] = field(default_factory=list)

    def move(self, gift: str, word: str, amount: int) -> None:
        """Remember what happens to a gift, for the row that is written next."""
        self.moves.setdefault(gift, []).append((word, amount))
        self.unwritten.append((gift, word, amount))

    def next_name(self) -> str:
        """The name of a gift of the next row."""
        number = len(self.rows) + 1
        names = [str(number), *(f"{number}.{place}" for place in range(2, 400))]
        return next(name for name in names if name not in self.gifts)

    def give(self, gift: Gift, word: str) -> None:
        """Remember a gift; credits that can be spent at once first pay the debt."""
        self.gifts[gift.name] = gift
        self.move(gift.name, word, gift.amount)
        if word != "scheduled":
            self.arrivals.append((gift.name, gift.amount))

    def pay_what_is_owed(self) -> None:
        """Pay the debt from arrived credits for all features, before anything else."""
        owed = self.owed()
        for name, amount in self.arrivals:
            paid = min(amount, owed) if self.gifts[name].features is None else 0
            owed -= paid
            if paid:
                self.move(name, "repaid", -paid)
        self.arrivals.clear()
        if owed < self.owed():
            self.move(OVERDRAFT, "repaid", self.owed() - owed)

    def release(self, part: str, amount: int) -> None:
        """Release what a hold had set aside of a gift; it lapses if the gift is over."""
        if not amount:
            return
        if part != OVERDRAFT and self.over(part):
            self.move(part, "lapsed", -amount)
            return
        self.move(part, "released", amount)
        if part != OVERDRAFT:
            self.arrivals.append((part, amount))

    def left(self, name: str) -> int:
        """What is left of a gift, held or not, in effect or not."""
        return sum(amount for word, amount in self.moves.get(name, []) if word not in _NOTHING_LEAVES)

    def held(self, name: str) -> int:
        """What open holds have set aside of a gift."""
        parts = [part for hold in self.holds.values() if hold.ended is None for part in hold.parts]
        return sum(amount for of, amount in parts if of == name)

    def free(self, name: str) -> int:
        """What is left of a gift and not set aside."""
        return self.left(name) - self.held(name)

    def over(self, name: str) -> bool:
        """Whether the gift has ended, by time, by its plan or by being voided."""
        return any(word in _ENDS for word, _ in self.moves.get(name, []))

    def voided(self, name: str) -> bool:
        """Whether the gift was voided."""
        return any(word in ("voided", "unscheduled") for word, _ in self.moves[name])

    def was_cancelled(self, gift: Gift) -> bool:
        """Whether a command voided the gift, or the one that it replaces."""
        return gift.voided_by_name or (gift.instead_of is not None and self.gifts[gift.instead_of].voided_by_name)

    def replacements(self, name: str) -> list[Gift]:
        """The gifts that replace another."""
        return [gift for gift in self.gifts.values() if gift.instead_of == name]

    def pending(self, name: str) -> bool:
        """Whether the gift has yet to take effect."""
        words = [word for word, _ in self.moves[name]]
        return words[0] == "scheduled" and "took_effect" not in words and "unscheduled" not in words

    def in_effect(self) -> list[Gift]:
        """The gifts that count now, with something left, in burn-down order."""
        return [gift for gift in self.alive() if not self.over(gift.name) and not self.pending(gift.name)]

    def alive(self) -> list[Gift]:
        """The gifts of which anything is left, in effect or not, in burn-down order."""
        # Nothing comes back to what is over and empty, so that it need not be looked at again.
        may_be = [gift for name, gift in self.gifts.items() if name not in self.gone]
        self.gone |= {gift.name for gift in may_be if self.over(gift.name) and not self.left(gift.name)}
        return sorted((gift for gift in may_be if self.left(gift.name)), key=Gift.turn)

    def owed(self) -> int:
        """What was taken from the overdraft and not paid back."""
        return -self.left(OVERDRAFT)

    def overdraft_free(self, catalog: Catalog) -> int:
        """How much more the plan lets the account owe."""
        limit = catalog.plans.get(self.plan, Plan()).overdraft
        return max(0, limit - self.owed() - self.held(OVERDRAFT))

    def spendable(self, feature: str) -> list[Gift]:
        """The gifts that can be spent on a feature, in burn-down order."""
        return [gift for gift in self.in_effect() if gift.features is None or feature in gift.features]

    def available(self, feature: str, catalog: Catalog) -> int:
        """What can be spent on a feature, the overdraft included."""
        return sum(self.free(gift.name) for gift in self.spendable(feature)) + self.overdraft_free(catalog)

    def remaining(self) -> int:
        """What can be spent now, less what is owed and what is set aside of the overdraft."""
        return sum(self.free(gift.name) for gift in self.in_effect()) - self.owed() - self.held(OVERDRAFT)

    def all_held(self) -> int:
        """What all open holds have set aside."""
        return sum(hold.amount() for hold in self.holds.values() if hold.ended is None)

    def used(self) -> int:
        """What was consumed and not refunded."""
        return sum(row.consumed or 0 for row in self.rows) - sum(amount for _, amount in self.refunds)

    def total(self) -> int:
        """What was ever there to be used."""
        return self.remaining() + self.all_held() + self.used()

    def write(
        self,
        kind: str,
        at: int,
        *,
        feature: str | None = None,
        consumed: int | None = None,
        shortfall: int | None = None,
        refunded: int | None = None,
    ) -> None:
        """Write a row with all that was moved since the last one."""
        self.pay_what_is_owed()
        remaining = self.remaining()
        before = self.rows[-1].remaining if self.rows else 0
        figures = (remaining - before, remaining, self.total() + (consumed or 0), self.all_held())
        moves, self.unwritten = tuple(self.unwritten), []
        self.rows.append(Row(kind, at, *figures, self.plan, moves, feature, consumed, shortfall, refunded))

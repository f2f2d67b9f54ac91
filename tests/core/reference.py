"""A second account of the rules: slow, plain, and written apart from `decide`.

It keeps no balance and no list of what is live. It remembers every credit ever given and every use ever made, and works
out what holds at an instant by looking at all of them again. Grants are called by the number of the row that gave them.
"""

from dataclasses import dataclass, field

from sixpence.core.catalog import Catalog
from sixpence.core.commands import ChangePlan, Command, Consume, EnsureAccount, GrantCredits, Tick

_ORDER_OF_CATEGORIES = ("plan", "signup", "promo", "refund", "admin", "paid")
_LARGEST = 9_007_199_254_740_991
_MOST_LIVE = 300
_FOREVER = float("inf")


@dataclass
class Given:
    """One gift of credits, and what was spent of it so far."""

    number: int
    made_at: int
    amount: int
    category: str
    priority: int
    from_at: int
    until_at: float
    features: tuple[str, ...] | None
    spent: int = 0

    def left(self) -> int:
        """What is not spent, whether or not it can be."""
        return self.amount - self.spent

    def counts_at(self, now: int) -> bool:
        """Whether it is in effect: from its first instant on, and over at its last."""
        return self.from_at <= now < self.until_at


@dataclass(frozen=True)
class Row:
    """What a row of the ledger says, without how it is written down."""

    kind: str
    at: int
    amount: int
    remaining: int
    total: int
    plan: str
    moves: tuple[tuple[int, str, int], ...] = ()
    feature: str | None = None
    consumed: int | None = None


@dataclass
class Reference:
    """One account, by what was ever given and used."""

    given: list[Given] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    plan: str = ""

    def run(self, command: Command, *, clock: int, catalog: Catalog, keyed: bool) -> tuple[list[Row], str | None]:
        """The rows that the command leaves, and the code of the refusal if it is refused."""
        now = max([clock, *(row.at for row in self.rows)])
        already = len(self.rows)
        self._let_time_pass(now)
        refused = self._do(command, now, catalog, keyed)
        assert self._remaining() == sum(gift.left() for gift in self.given if gift.counts_at(now))
        return self.rows[already:], refused

    def _do(self, command: Command, now: int, catalog: Catalog, keyed: bool) -> str | None:
        match command:
            case Tick():
                return None
            case EnsureAccount():
                self._ensure(now, catalog, keyed)
                return None
            case _ if not self.rows:
                return "account-not-found"
            case GrantCredits():
                return self._grant(command, now, catalog)
            case Consume():
                return self._consume(command.feature, now, catalog)
            case ChangePlan():
                return self._change_plan(command.plan, now, catalog, keyed)

    def _let_time_pass(self, now: int) -> None:
        """Write down every beginning and end up to now that is not written down yet."""
        written = {(move[0], move[1]) for row in self.rows for move in row.moves}
        events: list[tuple[float, int, int, Given]] = []
        for gift in self.given:
            if gift.left() and gift.until_at <= now and (gift.number, "expired") not in written:
                events.append((gift.until_at, 0, gift.number, gift))
            if gift.made_at < gift.from_at <= now and (gift.number, "took_effect") not in written:
                events.append((gift.from_at, 1, gift.number, gift))
        for at, begins, number, gift in sorted(events, key=lambda event: event[:3]):
            if begins:
                self._write("take_effect", int(at), gift.left(), moves=((number, "took_effect", gift.left()),))
            else:
                self._write("expire", int(at), -gift.left(), moves=((number, "expired", -gift.left()),))

    def _ensure(self, now: int, catalog: Catalog, keyed: bool) -> None:
        if self.rows and keyed:
            self._write("ensure", now, 0)
        if self.rows:
            return
        self.plan = catalog.default_plan
        gift = catalog.plans[self.plan].signup_credits
        if gift == 0:
            self._write("signup", now, 0)
            return
        self.given.append(Given(1, now, gift, "signup", 100, now, _FOREVER, None))
        self._write("signup", now, gift, moves=((1, "granted", gift),))

    def _grant(self, command: GrantCredits, now: int, catalog: Catalog) -> str | None:
        from_at = now if command.effective_at is None else command.effective_at
        until_at = _FOREVER if command.expires_at is None else command.expires_at
        later = [gift for gift in self.given if gift.from_at > now]
        alive = [gift for gift in self.given if gift.left() and now < gift.until_at]
        if command.features is not None and not set(command.features) <= set(catalog.features):
            return "unknown-feature"
        if not max(now, from_at) < until_at:
            return "grant-period"
        if self._remaining() + self._consumed() + sum(gift.amount for gift in later) + command.amount > _LARGEST:
            return "balance-limit"
        if len(alive) >= _MOST_LIVE:
            return "grant-limit"
        number = len(self.rows) + 1
        terms = (command.amount, command.category, command.priority, from_at, until_at, command.features)
        self.given.append(Given(number, now, *terms))
        if from_at > now:
            self._write("grant", now, 0, moves=((number, "scheduled", command.amount),))
        else:
            self._write("grant", now, command.amount, moves=((number, "granted", command.amount),))
        return None

    def _consume(self, feature: str, now: int, catalog: Catalog) -> str | None:
        if feature not in catalog.features:
            return "unknown-feature"
        if self.plan not in catalog.plans:
            return "unknown-plan"
        price = 0 if catalog.plans[self.plan].unlimited else catalog.features[feature].credits
        purse = [
            gift
            for gift in self.given
            if gift.left() and gift.counts_at(now) and (gift.features is None or feature in gift.features)
        ]
        if sum(gift.left() for gift in purse) < price:
            return "insufficient-credits"
        moves: list[tuple[int, str, int]] = []
        owing = price
        while owing:
            gift = min((gift for gift in purse if gift.left()), key=_turn)
            part = min(owing, gift.left())
            gift.spent += part
            owing -= part
            moves.append((gift.number, "consumed", -part))
        self._write("consume", now, -price, moves=tuple(moves), feature=feature, consumed=price)
        return None

    def _change_plan(self, plan: str, now: int, catalog: Catalog, keyed: bool) -> str | None:
        if plan not in catalog.plans:
            return "unknown-plan"
        if plan != self.plan or keyed:
            self.plan = plan
            self._write("plan_change", now, 0)
        return None

    def _remaining(self) -> int:
        return sum(row.amount for row in self.rows)

    def _consumed(self) -> int:
        return sum(row.consumed or 0 for row in self.rows)

    def _write(
        self,
        kind: str,
        at: int,
        amount: int,
        *,
        moves: tuple[tuple[int, str, int], ...] = (),
        feature: str | None = None,
        consumed: int | None = None,
    ) -> None:
        remaining = self._remaining() + amount
        total = remaining + self._consumed() + (consumed or 0)
        self.rows.append(Row(kind, at, amount, remaining, total, self.plan, moves, feature, consumed))


def _turn(gift: Given) -> tuple[int, float, int, int, int]:
    return gift.priority, gift.until_at, _ORDER_OF_CATEGORIES.index(gift.category), gift.from_at, gift.number

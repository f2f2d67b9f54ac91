"""`decide` beyond the case tables: refusals byte for byte, the burn-down order, the bound on grants, stored facts."""

import msgspec
import pytest

from sixpence.core.account.account import Account
from sixpence.core.account.commands import ChangePlan, Command, Consume, EnsureAccount, GrantCredits, Key, Tick
from sixpence.core.account.grant import Category
from sixpence.core.account.transaction import Detail, GrantTerms
from sixpence.core.catalog.catalog import DEFAULT_CATALOG, Catalog, Feature, Plan, PricedBy
from sixpence.core.errors import RefusedError
from sixpence.core.refusals import (
    AccountNotFoundError,
    BalanceLimitError,
    GrantLimitError,
    GrantPeriodError,
    InsufficientCreditsError,
    UnknownFeatureError,
    UnknownPlanError,
)
from sixpence.core.rules.decide import decide
from sixpence.core.values.bounds import LIVE_GRANTS_MAX
from sixpence.core.values.instant import INSTANT_MAX
from tests.core.case_table import ACCOUNT_ID, ACCOUNT_NO, PRICED_BY, read_instant, read_state

_AT = read_instant("20")
_MAX = 2**53 - 1
_FEATURES = ("hello", "sketch", "interior", "video")
_PLANS = ("free", "team", "pro")
# Something expires and something takes effect before the refusal.
_DUE = "free: a 5 until 10, b 2 from 15, c 1 for sketch"
_FULL = _DUE + ", d MAX-8"

_REFUSALS: list[tuple[str, Command, RefusedError]] = [
    ("no account", GrantCredits(amount=1), AccountNotFoundError(ACCOUNT_ID)),
    ("no account", Consume(feature="sketch"), AccountNotFoundError(ACCOUNT_ID)),
    ("no account", ChangePlan(plan="pro"), AccountNotFoundError(ACCOUNT_ID)),
    (_DUE, Consume(feature="video"), InsufficientCreditsError("video", 5, 3, 2)),
    (_DUE, Consume(feature="magic"), UnknownFeatureError("magic", _FEATURES)),
    (_DUE.replace("free", "gone"), Consume(feature="sketch"), UnknownPlanError("gone", _PLANS)),
    (_DUE, GrantCredits(amount=1, features=("sketch", "magic")), UnknownFeatureError("magic", _FEATURES)),
    (
        _DUE,
        GrantCredits(amount=1, expires_at=_AT),
        GrantPeriodError("expires_at", "2026-01-01T00:00:20.000000Z", "has passed. Send a time to come, or none"),
    ),
    (
        _DUE,
        GrantCredits(amount=1, expires_at=_AT + 5, effective_at=_AT + 5),
        GrantPeriodError("expires_at", "2026-01-01T00:00:20.000005Z", "is not after effective_at. Send a later time"),
    ),
    (_DUE, GrantCredits(amount=_MAX - 2), BalanceLimitError(_MAX - 2, 3, _MAX)),
    (_FULL, GrantCredits(amount=6), BalanceLimitError(6, _MAX - 5, _MAX)),
    (_DUE, ChangePlan(plan="gold"), UnknownPlanError("gold", _PLANS)),
]


@pytest.mark.parametrize(
    "command", [Tick(), EnsureAccount(), Consume(feature="sketch")], ids=lambda it: type(it).__name__
)
@pytest.mark.parametrize("clock", [-1, INSTANT_MAX + 1])
def test_decide_refuses_a_clock_outside_the_calendar(command: Command, clock: int) -> None:
    """Before 1970 and after 9999 every command raises with the value, and the account is unchanged."""
    account = read_state(_DUE)
    before = account.copy()

    with pytest.raises(ValueError, match=str(clock)):
        decide(account, command, clock=clock, priced_by=PRICED_BY)

    assert account == before


@pytest.mark.parametrize("clock", [0, INSTANT_MAX])
def test_decide_accepts_the_first_and_the_last_instant(clock: int) -> None:
    """Exactly 1970 and the last microsecond of 9999 are times like any other."""
    made = decide(read_state("no account"), EnsureAccount(), clock=clock, priced_by=PRICED_BY)

    assert made.row is not None
    assert made.row.recorded_at == clock


@pytest.mark.parametrize("key", [None, Key("k1", bytes(32))], ids=["without-key", "with-key"])
@pytest.mark.parametrize(("state", "command", "refusal"), _REFUSALS, ids=lambda value: getattr(value, "code", None))
def test_refused_command_leaves_what_a_tick_leaves(
    state: str, command: Command, refusal: RefusedError, key: Key | None
) -> None:
    """A refused command has no row: the account is byte for byte what a Tick at that instant alone leaves."""
    account = read_state(state)
    before = msgspec.msgpack.encode(account)

    refused = decide(account, command, clock=_AT, priced_by=PRICED_BY, key=key)
    ticked = decide(account, Tick(), clock=_AT, priced_by=PRICED_BY)

    assert refused.refusal == refusal
    assert refused.row is None
    assert refused.rows == ticked.rows
    assert len(ticked.rows) == (0 if state == "no account" else 2)
    assert msgspec.msgpack.encode(refused.account) == msgspec.msgpack.encode(ticked.account)
    assert msgspec.msgpack.encode(account) == before


def test_grant_limit_is_300_live_grants() -> None:
    """An account has at most 300 live grants; the next one is refused and changes nothing until one is spent."""
    account = decide(_new_account(), EnsureAccount(), clock=_AT, priced_by=PRICED_BY).account
    while len(account.grants) < LIVE_GRANTS_MAX:
        decision = decide(account, GrantCredits(amount=1), clock=_AT, priced_by=PRICED_BY)
        assert decision.refusal is None
        account = decision.account

    refused = decide(account, GrantCredits(amount=1), clock=_AT, priced_by=PRICED_BY)
    spent = decide(account, Consume(feature="video"), clock=_AT, priced_by=PRICED_BY).account
    spent = decide(spent, Consume(feature="sketch"), clock=_AT, priced_by=PRICED_BY).account
    accepted = decide(spent, GrantCredits(amount=1), clock=_AT, priced_by=PRICED_BY)

    assert refused.refusal == GrantLimitError(300)
    assert msgspec.msgpack.encode(refused.account) == msgspec.msgpack.encode(account)
    assert accepted.refusal is None
    assert len(accepted.account.grants) == LIVE_GRANTS_MAX


def test_ensure_stores_label_and_metadata() -> None:
    """The account's label and metadata are those of the command that made it."""
    command = EnsureAccount(label="Ada", metadata='{"source":"ad"}')

    decision = decide(_new_account(), command, clock=_AT, priced_by=PRICED_BY)

    assert decision.row is not None
    assert (decision.account.label, decision.account.metadata) == ("Ada", '{"source":"ad"}')
    assert decision.row.metadata == '{"source":"ad"}'
    assert decision.account.granted_at == _AT


def test_ensure_of_an_existing_account_keeps_label_and_metadata() -> None:
    """Ensuring an account that exists changes nothing, with a key or without."""
    made = decide(_new_account(), EnsureAccount(label="Ada", metadata="{}"), clock=_AT, priced_by=PRICED_BY).account

    again = decide(made, EnsureAccount(label="Bob", metadata='{"a":1}'), clock=_AT, priced_by=PRICED_BY)
    keyed = decide(
        made, EnsureAccount(label="Bob", metadata='{"a":1}'), clock=_AT, priced_by=PRICED_BY, key=Key("k", b"f")
    )

    assert (again.rows, again.account) == ((), made)
    assert keyed.row is not None
    assert (keyed.account.label, keyed.account.metadata, keyed.row.metadata) == ("Ada", "{}", None)


def test_ensure_on_a_plan_without_signup_credits_makes_no_grant() -> None:
    """Where the default plan gives nothing, signing up is a row of 0."""
    catalog = Catalog(features={"sketch": Feature(1)}, plans={"basic": Plan()}, default_plan="basic")

    decision = decide(_new_account(), EnsureAccount(), clock=_AT, priced_by=PricedBy(1, catalog))

    account = decision.account
    assert decision.row is not None
    assert (decision.row.kind, decision.row.amount, decision.row.allocations) == ("signup", 0, "[]")
    assert (account.plan, account.remaining, account.total, account.grants) == ("basic", 0, 0, [])


def test_row_has_the_callers_facts() -> None:
    """Generation, metadata, actor, reason, key and both times are in the row of the command."""
    account = read_state("free: a 5")
    key = Key("k1", bytes(range(32)))
    give = GrantCredits(amount=2, actor="ops@example.com", reason="Goodwill", metadata='{"a":1}')
    move = ChangePlan(plan="pro", actor="ops@example.com", reason="Goodwill", metadata='{"a":1}')

    used = decide(
        account, Consume(feature="sketch", generation_id="g-1", metadata="{}"), clock=_AT, priced_by=PRICED_BY, key=key
    ).row
    given = decide(account, give, clock=_AT, priced_by=PRICED_BY).row
    moved = decide(account, move, clock=_AT, priced_by=PRICED_BY).row

    assert used is not None
    assert given is not None
    assert moved is not None
    assert (used.generation_id, used.metadata, used.created_at, used.recorded_at) == ("g-1", "{}", _AT, _AT)
    assert (used.idempotency_key, used.fingerprint) == ("k1", bytes(range(32)))
    assert used.read_detail() == Detail(price=1, catalog_version=3)
    terms = GrantTerms(amount=2, category="admin", effective_at=_AT)
    assert given.read_detail() == Detail(grant=terms, actor="ops@example.com", reason="Goodwill")
    assert given.metadata == moved.metadata == '{"a":1}'
    assert moved.read_detail() == Detail(
        previous_plan="free", catalog_version=3, actor="ops@example.com", reason="Goodwill"
    )


def test_due_row_has_the_due_instant_and_the_clock() -> None:
    """`created_at` is the instant something was due, `recorded_at` the clock; no key of the command is on it."""
    decision = decide(
        read_state("free: a 5 until 10"), EnsureAccount(), clock=_AT, priced_by=PRICED_BY, key=Key("k1", b"f")
    )

    expired, ensured = decision.rows

    assert (expired.created_at, expired.recorded_at, expired.idempotency_key) == (read_instant("10"), _AT, None)
    assert (ensured.created_at, ensured.recorded_at, ensured.idempotency_key) == (_AT, _AT, "k1")


def test_default_catalog_is_the_original() -> None:
    """Six credits, six uses, the seventh refused; on the paid plan every use is free and recorded."""
    priced_by = PricedBy(1, DEFAULT_CATALOG)
    account = decide(_new_account(), EnsureAccount(), clock=_AT, priced_by=priced_by).account
    for feature in DEFAULT_CATALOG.features:
        account = decide(account, Consume(feature=feature), clock=_AT, priced_by=priced_by).account

    seventh = decide(account, Consume(feature="interior"), clock=_AT, priced_by=priced_by)
    paid = decide(account, ChangePlan(plan="pro"), clock=_AT, priced_by=priced_by).account
    eighth = decide(paid, Consume(feature="interior"), clock=_AT, priced_by=priced_by)

    assert (account.remaining, account.total) == (0, 6)
    assert seventh.refusal == InsufficientCreditsError("interior", 1, 0, 0)
    assert eighth.row is not None
    assert (eighth.row.amount, eighth.row.credits_consumed, eighth.account.total) == (0, 0, 6)


def _grant(
    amount: int = 1,
    category: Category = "plan",
    *,
    priority: int = 100,
    effective_at: int | None = None,
    expires_at: int | None = None,
    features: tuple[str, ...] | None = None,
) -> GrantCredits:
    return GrantCredits(
        amount=amount,
        category=category,
        priority=priority,
        effective_at=effective_at,
        expires_at=expires_at,
        features=features,
    )


# One grant of a credit for each rule of the burn-down order, in the order in which they must be spent.
_IN_ORDER = [
    _grant(category="paid", priority=1),
    _grant(category="paid", expires_at=_AT + 50),
    _grant(category="plan", expires_at=_AT + 60),
    *(_grant(category=category) for category in ("plan", "signup", "promo", "refund", "admin")),
    _grant(category="paid", effective_at=_AT - 7),
    _grant(category="paid", effective_at=_AT - 3),
    _grant(category="plan", priority=101),
]
_SINGLE = PricedBy(
    1,
    Catalog(
        features={"sketch": Feature(1), "video": Feature(5), "free": Feature(0)},
        plans={"basic": Plan(overdraft=4)},
        default_plan="basic",
    ),
)


def _account_with(grants: list[GrantCredits]) -> tuple[Account, list[str]]:
    """An account without signup credits that was given these grants at one instant, and their ids."""
    account = decide(_new_account(), EnsureAccount(), clock=_AT, priced_by=_SINGLE).account
    ids = []
    for command in grants:
        decision = decide(account, command, clock=_AT, priced_by=_SINGLE)
        assert decision.row is not None
        account = decision.account
        ids.append(decision.row.id)
    return account, ids


@pytest.mark.parametrize("step", [1, 4, 7, 10], ids=lambda step: f"given-by-{step}")
def test_consume_burns_down_grants_in_order(step: int) -> None:
    """Priority, expiry, category, effective time, and the overdraft last; the order of giving does not matter."""
    count = len(_IN_ORDER)
    places = [place * step % count for place in range(count)]
    account, ids = _account_with([_IN_ORDER[place] for place in places])
    parse_database_url = dict(zip(ids, places, strict=True))

    spent = []
    for _ in range(count + 1):
        decision = decide(account, Consume(feature="sketch"), clock=_AT, priced_by=_SINGLE)
        assert decision.row is not None
        account = decision.account
        spent += [parse_database_url.get(move.grant_id, move.grant_id) for move in decision.row.read_allocations()]

    assert spent == [*range(count), "overdraft"]


def test_consume_burns_down_equal_grants_by_their_ids() -> None:
    """Of grants that are equal in everything, the one given first is spent first."""
    account, ids = _account_with([_grant() for _ in range(7)])

    row = decide(account, Consume(feature="video"), clock=_AT, priced_by=_SINGLE).row

    assert row is not None
    assert [move.grant_id for move in row.read_allocations()] == ids[:5]


def test_consume_takes_only_grants_of_its_feature_and_only_the_price() -> None:
    """A price of 0 touches no grant; grants for other features and ones that take effect later are passed over."""
    grants = [_grant(2, features=("video",)), _grant(3, "paid"), _grant(9, effective_at=_AT + 5)]
    account, (video, paid, _) = _account_with(grants)

    free = decide(account, Consume(feature="free"), clock=_AT, priced_by=_SINGLE).row
    sketch = decide(account, Consume(feature="sketch"), clock=_AT, priced_by=_SINGLE).row
    films = decide(account, Consume(feature="video"), clock=_AT, priced_by=_SINGLE).row

    assert free is not None
    assert sketch is not None
    assert films is not None
    assert free.read_allocations() == ()
    assert [(move.grant_id, move.amount) for move in sketch.read_allocations()] == [(paid, -1)]
    assert [(move.grant_id, move.amount) for move in films.read_allocations()] == [(video, -2), (paid, -3)]


def _new_account() -> Account:
    return Account(account_no=ACCOUNT_NO, account_id=ACCOUNT_ID)


def test_change_plan_to_the_same_plan_begins_a_term_where_it_got_a_period() -> None:
    """An account that was on a plan before it had an allowance gets its first term by a change to that plan, once."""
    before = Catalog(
        features={"sketch": Feature(1)}, plans={"free": Plan(), "basic": Plan(rank=1)}, default_plan="free"
    )
    monthly = Plan(rank=1, allowance=100, period="month")
    since = PricedBy(
        2, msgspec.structs.replace(before, plans={**before.plans, "basic": monthly}), earlier=(PricedBy(1, before),)
    )
    account = decide(_new_account(), EnsureAccount(), clock=_AT, priced_by=PricedBy(1, before)).account
    account = decide(account, ChangePlan(plan="basic"), clock=_AT, priced_by=PricedBy(1, before)).account

    begun = decide(account, ChangePlan(plan="basic"), clock=_AT, priced_by=since)
    again = decide(begun.account, ChangePlan(plan="basic"), clock=_AT, priced_by=since)

    assert begun.row is not None
    assert (begun.row.kind, begun.row.amount, begun.account.plan) == ("plan_change", 100, "basic")
    assert (again.row, again.account) == (None, begun.account)

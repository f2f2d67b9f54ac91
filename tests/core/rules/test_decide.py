"""What the case tables cannot show: refusals byte for byte, the bound on grants, texts that are kept, purity."""

import msgspec
import pytest

from sixpence.core.account.account import Account
from sixpence.core.account.commands import ChangePlan, Command, Consume, EnsureAccount, GrantCredits, Key, Tick
from sixpence.core.account.grant import available, burn_down
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
def test_a_clock_that_cannot_be_shown_decides_nothing(command: Command, clock: int) -> None:
    """Before 1970 and after 9999 every command stops with the value, and the account is as it was."""
    account = read_state(_DUE)
    before = account.copy()

    with pytest.raises(ValueError, match=str(clock)):
        decide(account, command, clock=clock, priced_by=PRICED_BY)

    assert account == before


@pytest.mark.parametrize("clock", [0, INSTANT_MAX])
def test_the_first_and_the_last_instant_count(clock: int) -> None:
    """Exactly 1970 and the last microsecond of 9999 are times like any other."""
    made = decide(read_state("no account"), EnsureAccount(), clock=clock, priced_by=PRICED_BY)

    assert made.row is not None
    assert made.row.recorded_at == clock


@pytest.mark.parametrize("key", [None, Key("k1", bytes(32))], ids=["without-key", "with-key"])
@pytest.mark.parametrize(("state", "command", "refusal"), _REFUSALS, ids=lambda value: getattr(value, "code", None))
def test_a_refusal_leaves_what_a_tick_leaves(
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


def test_the_last_grant_that_fits_and_the_first_that_does_not() -> None:
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


def test_signing_up_keeps_label_and_metadata() -> None:
    """The account's label and metadata are those of the command that made it."""
    command = EnsureAccount(label="Ada", metadata='{"source":"ad"}')

    decision = decide(_new_account(), command, clock=_AT, priced_by=PRICED_BY)

    assert decision.row is not None
    assert (decision.account.label, decision.account.metadata) == ("Ada", '{"source":"ad"}')
    assert decision.row.metadata == '{"source":"ad"}'
    assert decision.account.granted_at == _AT


def test_ensuring_again_keeps_the_first_label_and_metadata() -> None:
    """Ensuring an account that is there changes nothing of it, with a key or without."""
    made = decide(_new_account(), EnsureAccount(label="Ada", metadata="{}"), clock=_AT, priced_by=PRICED_BY).account

    again = decide(made, EnsureAccount(label="Bob", metadata='{"a":1}'), clock=_AT, priced_by=PRICED_BY)
    keyed = decide(
        made, EnsureAccount(label="Bob", metadata='{"a":1}'), clock=_AT, priced_by=PRICED_BY, key=Key("k", b"f")
    )

    assert (again.rows, again.account) == ((), made)
    assert keyed.row is not None
    assert (keyed.account.label, keyed.account.metadata, keyed.row.metadata) == ("Ada", "{}", None)


def test_a_plan_without_signup_credits_makes_an_account_without_grants() -> None:
    """Where the default plan gives nothing, signing up is a row of 0."""
    catalog = Catalog(features={"sketch": Feature(1)}, plans={"basic": Plan()}, default_plan="basic")

    decision = decide(_new_account(), EnsureAccount(), clock=_AT, priced_by=PricedBy(1, catalog))

    account = decision.account
    assert decision.row is not None
    assert (decision.row.kind, decision.row.amount, decision.row.allocations) == ("signup", 0, "[]")
    assert (account.plan, account.remaining, account.total, account.grants) == ("basic", 0, 0, [])


def test_a_row_carries_what_the_caller_said() -> None:
    """Generation, metadata, actor, reason, key and both times stand in the row of the command."""
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


def test_a_due_row_tells_when_it_took_effect_and_when_it_was_written() -> None:
    """`created_at` is the instant something was due, `recorded_at` the clock; no key of the command is on it."""
    decision = decide(
        read_state("free: a 5 until 10"), EnsureAccount(), clock=_AT, priced_by=PRICED_BY, key=Key("k1", b"f")
    )

    expired, ensured = decision.rows

    assert (expired.created_at, expired.recorded_at, expired.idempotency_key) == (read_instant("10"), _AT, None)
    assert (ensured.created_at, ensured.recorded_at, ensured.idempotency_key) == (_AT, _AT, "k1")


def test_the_default_catalog_is_the_original() -> None:
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


def test_a_burn_down_takes_nothing_for_nothing_and_never_more_than_there_is() -> None:
    """A price of 0 touches no grant; what cannot be paid in full is paid as far as it goes."""
    grants = read_state("free: a 2, b 3 for video, c 4 from 20").grants

    assert burn_down(grants, "sketch", 0) == []
    assert burn_down(grants, "sketch", 2) == [(grants[0].id, 2)]
    assert burn_down(grants, "video", 9) == [(grants[0].id, 2), (grants[1].id, 3)]
    assert (available(grants, "sketch"), available(grants, "video")) == (2, 5)


def _new_account() -> Account:
    return Account(account_no=ACCOUNT_NO, account_id=ACCOUNT_ID)


def test_a_plan_that_has_a_period_since_begins_a_term_when_it_is_asked_for_again() -> None:
    """An account that was on a plan before the catalog gave it an allowance gets its first term by asking, once."""
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

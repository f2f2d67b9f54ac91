"""The forecast: the next allowance and the next expiry are what the due changes then do."""

import msgspec
import pytest

from sixpence.core.account.account import Account
from sixpence.core.account.commands import ChangePlan, GrantCredits, Tick
from sixpence.core.account.transaction import Transaction
from sixpence.core.catalog.catalog import Catalog, Plan, PricedBy
from sixpence.core.rules.decide import decide
from sixpence.core.rules.forecast import next_allowance, next_expiry
from sixpence.core.values.bounds import AMOUNT_MAX, LIVE_GRANTS_MAX
from sixpence.core.values.instant import DAY
from tests.core.story_table import PRICED_BY, read_instant, run_story
from tests.lockstep.catalogs import FIRST, PLANS
from tests.lockstep.choices import RandomChoices
from tests.lockstep.scenario import Scenario, begin

pytestmark = pytest.mark.slow

_STEPS = 40
_CARRIED = (
    "@0 ensure; @2026-01-31 plan basic; @2026-01-31 plan team; @2026-02-26 plan pro; @2026-02-27 plan weekly; "
    "@2026-02-27 plan team"
)
_YEARS = 3 * 366 * DAY


@pytest.mark.parametrize(
    ("story", "expected"),
    [
        ("@0 ensure", None),
        ("@0 ensure; @2026-01-31 plan basic", ("2026-02-28", 100)),
        ("@0 ensure; @2026-01-31 plan basic; @2026-02-01 plan weekly", ("2026-02-28", 70)),
        ("@0 ensure; @2026-01-31 plan basic; @2026-02-01 cancel", None),
        ("@0 ensure; @2026-01-31 plan yearly", ("2026-02-28", 100)),
        ("@0 ensure; @2026-01-31 plan pro", None),
        ("@0 ensure; @2026-01-31 plan basic; @2026-02-05 close", None),
        # A trial comes between: the term from before it is taken up again, with what is left of it.
        ("@0 ensure; @2026-01-31 plan basic; @2026-02-01 plan try trial", ("2026-02-15", 92)),
        # Nothing of it was spent, so that its rest brings a part of the allowance.
        ("@0 ensure; @2026-01-31 plan basic; @2026-02-01 plan try trial; @2026-02-02 plan basic", ("2026-02-15", 46)),
        ("@0 ensure; @2026-01-31 plan basic; @2026-02-01 plan try trial; @2026-02-02 plan weekly", ("2026-02-15", 70)),
        ("@0 ensure; @2026-01-31 plan basic; @2026-02-01 plan yearly; @2026-02-02 plan basic", ("2026-03-01", 100)),
        # Credits of a week are carried into a month that ends before it: the change ends them, and they come again.
        (_CARRIED + "; @2026-02-27 plan weekly", ("2026-02-28", 60)),
    ],
)
def test_next_allowance(story: str, expected: tuple[str, int] | None) -> None:
    """When it comes and how many credits, through waiting changes, trials and resumed terms."""
    account = run_story(story).account

    coming = next_allowance(account, PRICED_BY)

    assert coming == (None if expected is None else (read_instant(expected[0]), expected[1]))
    assert coming == _allowance_that_comes(account, PRICED_BY)


@pytest.mark.parametrize(("allowance", "months"), [(5, 3), (1, 12), (12, 2), (0, None)])
def test_next_allowance_skips_empty_shares(allowance: int, months: int | None) -> None:
    """A year's few credits drip in some of its months: the next one that gives something is returned."""
    plan = Plan(rank=20, allowance=allowance, period="year", drip=True)
    plans = {**PRICED_BY.catalog.plans, "team": plan}
    priced_by = PricedBy(3, msgspec.structs.replace(PRICED_BY.catalog, plans=plans))
    account = run_story("@0 ensure").account
    begun = decide(
        account, ChangePlan(plan="team"), clock=read_instant("2026-01-01T12:00"), priced_by=priced_by
    ).account

    coming = next_allowance(begun, priced_by)

    assert coming == (None if months is None else (read_instant(f"2026-{months:02}-01T12:00"), 1))


def test_next_allowance_of_a_nearly_full_account_is_cut() -> None:
    """No allowance lifts an account over the largest balance; grants that end before it make room."""
    begun = "@0 ensure; @2026-01-31 plan basic; @2026-02-01 grant"
    # Fifty of the hundred that are there roll over.
    lasting = run_story(f"{begun} {AMOUNT_MAX - 106}")
    ending = run_story(f"{begun} {AMOUNT_MAX - 106} until 2026-02-20")

    coming = [next_allowance(one.account, PRICED_BY) for one in (lasting, ending)]

    assert coming == [(read_instant("2026-02-28"), 50), (read_instant("2026-02-28"), 100)]


def test_next_allowance_with_many_grants() -> None:
    """However many grants take effect and end before it, the next allowance is found."""
    account = run_story("@0 ensure; @1 plan yearly").account
    for place in range(LIVE_GRANTS_MAX - 2):
        at = read_instant("2026-01-02") + place
        given = GrantCredits(amount=1, effective_at=at, expires_at=at + DAY)
        account = decide(account, given, clock=read_instant("2"), priced_by=PRICED_BY).account

    coming = next_allowance(account, PRICED_BY)

    assert coming == (read_instant("2026-02-01") + read_instant("1") - read_instant("0"), 100)


def test_forecast_does_not_change_the_account() -> None:
    """The account is the same afterwards."""
    account = run_story("@0 ensure; @2026-01-31 plan basic; @2026-02-01 grant 5 until 2026-02-03").account
    before = msgspec.msgpack.encode(account)

    forecast = next_allowance(account, PRICED_BY), next_expiry(account, PRICED_BY)

    assert forecast == ((read_instant("2026-02-28"), 100), (read_instant("2026-02-03"), 5))
    assert msgspec.msgpack.encode(account) == before


@pytest.mark.parametrize("seed", range(24))
def test_next_allowance_is_what_due_changes_give(seed: int) -> None:
    """After every step of a random course, and a change of plan there, whether plans give much or next to nothing."""
    choose = RandomChoices(f"ahead {seed}")
    course = begin(choose, ["ada@example.com"])
    if seed % 2:
        course = Scenario(course.pairs, course.clock, PricedBy(1, _thin(FIRST), course.clock))

    for _ in range(_STEPS):
        course.run(course.next_step(choose))
        change = ChangePlan(plan=choose(PLANS), trial=choose([True, False]))
        for command in (Tick(), change):
            account = decide(course.pairs[0].account, command, clock=course.clock, priced_by=course.priced_by).account
            if not (account.held and account.total > AMOUNT_MAX // 2):  # a hold may end and make room
                assert next_allowance(account, course.priced_by) == _allowance_that_comes(account, course.priced_by)


def _allowance_that_comes(account: Account, priced_by: PricedBy) -> tuple[int, int] | None:
    """What the rows say that time alone leaves in the next years, one change after another."""
    until_at = account.last_at + _YEARS
    while account.next_due_at is not None and account.next_due_at < until_at:
        passed = decide(account, Tick(), clock=account.next_due_at, priced_by=priced_by)
        account = passed.account
        given = [(row.created_at, _of_plan(row)) for row in passed.rows if row.kind == "allowance" and _of_plan(row)]
        if given:
            return given[0]
    return None


def _of_plan(row: Transaction) -> int:
    return sum(terms.amount for terms in row.read_detail().grants if terms.by_plan is not None)


def _thin(catalog: Catalog) -> Catalog:
    """The same plans with a twentieth of what they give."""
    plans = {
        name: msgspec.structs.replace(plan, allowance=plan.allowance // 20) for name, plan in catalog.plans.items()
    }
    return msgspec.structs.replace(catalog, plans=plans)

"""Captures whose prices, plan or overdraft changed since the hold was placed: what they cost, and their rows."""

from typing import Any

import msgspec
import pytest

from sixpence.core.account.account import Account
from sixpence.core.account.change import Change
from sixpence.core.account.commands import CaptureHold, ChangePlan, Command, EnsureAccount, PlaceHold
from sixpence.core.account.fold import fold, record
from sixpence.core.account.hold import Beyond
from sixpence.core.account.movement import Allocation
from sixpence.core.account.transaction import Detail, Transaction, write_detail
from sixpence.core.audit.replay import find_difference
from sixpence.core.catalog.catalog import Catalog, Feature, Plan, PricedBy
from sixpence.core.catalog.price import Usage
from sixpence.core.rules import versions
from sixpence.core.rules.decide import decide
from sixpence.core.values.bounds import account_no
from sixpence.core.values.instant import SECOND

ADA = "ada@example.com"


def _catalog(price: int, *, overdraft: int = 0) -> Catalog:
    plans = {"free": Plan(signup_credits=50, overdraft=overdraft), "pro": Plan(rank=1, unlimited=True)}
    return Catalog(features={"s": Feature(price, unit="second")}, plans=plans, default_plan="free")


def _versions(*catalogs: Catalog) -> list[PricedBy]:
    """The catalogs, each applied a minute after the one before it, and each with those before it."""
    plain = [PricedBy(number, one, number * 60 * SECOND) for number, one in enumerate(catalogs, 1)]
    return [msgspec.structs.replace(one, earlier=tuple(plain[:place])) for place, one in enumerate(plain)]


class Story:
    """Ada's rows, each of a command under the catalog of its time."""

    def __init__(self) -> None:
        self.account = Account(account_no=account_no(ADA), account_id=ADA)
        self.rows: list[Transaction] = []

    def run(self, priced_by: PricedBy, *commands: Command, rules: int = versions.CURRENT) -> Transaction:
        """The last row of the commands, which must be accepted."""
        for command in commands:
            clock = max(self.account.last_at + SECOND, priced_by.applied_at)
            decision = decide(self.account, command, clock=clock, priced_by=priced_by, rules=rules)
            assert decision.refusal is None, decision.refusal
            self.account = decision.account
            self.rows += decision.rows
        return self.rows[-1]

    def folded(self, rows: list[Transaction]) -> Account:
        """The account that rows make."""
        return fold(Account(account_no=account_no(ADA), account_id=ADA), rows)


def _captured_story(placed_by: PricedBy, captured_by: PricedBy, *, covered: bool, units: int) -> Story:
    """A hold of two units, placed on the unlimited plan or not, and captured on the free one under another catalog."""
    story = Story()
    story.run(placed_by, EnsureAccount())
    if covered:
        story.run(placed_by, ChangePlan(plan="pro"))
    hold = story.run(placed_by, PlaceHold(feature="s", ttl_seconds=600, usage=Usage(units=2)))
    if covered:
        story.run(placed_by, ChangePlan(plan="free"))
    story.run(captured_by, CaptureHold(hold_id=hold.id, usage=Usage(units=units)))
    return story


@pytest.mark.parametrize(("covered", "consumed"), [(False, 2), (True, 0)])
def test_capture_keeps_the_plan_and_price_of_the_placing(covered: bool, consumed: int) -> None:
    """Under another plan and at higher prices, a capture of the hold's own usage costs what it would have cost then."""
    first, dearer = _versions(_catalog(1), _catalog(7))

    story = _captured_story(first, dearer, covered=covered, units=2)

    capture, (hold,) = story.rows[-1], story.account.holds.values()
    assert (hold.plan, hold.terms.catalog_version) == ("pro" if covered else "free", 1)
    assert (capture.plan, capture.credits_consumed) == ("free", consumed)
    assert capture.read_detail() == Detail(
        about=hold.id,
        price=2,
        usage=Usage(units=2),
        catalog_version=1,
        beyond=Beyond(2, 0) if covered else None,
    )


def test_capture_beyond_a_covered_hold_has_current_prices() -> None:
    """The row has both: the list price by the placing, and the price of the three units beyond by the later catalog."""
    first, dearer = _versions(_catalog(1), _catalog(7))

    story = _captured_story(first, dearer, covered=True, units=5)

    capture = story.rows[-1]
    detail = capture.read_detail()
    assert capture.credits_consumed == 21
    assert (detail.price, detail.catalog_version, detail.beyond) == (5, 1, Beyond(2, 21))


def test_capture_beyond_a_hold_may_use_the_current_overdraft() -> None:
    """It has the prices of the placing; the catalog that the row names limits how much of it may be owed."""
    first, generous = _versions(_catalog(10), _catalog(20, overdraft=30))

    story = _captured_story(first, generous, covered=False, units=8)

    capture = story.rows[-1]
    assert (capture.credits_consumed, capture.balance_after, story.account.owed) == (80, -30, 30)
    assert capture.read_detail().beyond == Beyond(2, 60)


def _upgraded_story(rules: int) -> Story:
    """A hold of eight units placed with credits, captured with twelve under an unlimited plan."""
    first, dearer = _versions(_catalog(1), _catalog(7))
    story = Story()
    story.run(first, EnsureAccount())
    hold = story.run(first, PlaceHold(feature="s", ttl_seconds=600, usage=Usage(units=8)))
    story.run(first, ChangePlan(plan="pro"))
    story.run(dearer, CaptureHold(hold_id=hold.id, usage=Usage(units=12)), rules=rules)
    return story


def test_capture_under_an_unlimited_plan_charges_what_was_held() -> None:
    """Eight of twelve, at the prices of the placing; the current plan pays for the other four."""
    story = _upgraded_story(rules=2)

    capture = story.rows[-1]
    assert (capture.credits_consumed, story.account.remaining, story.account.held) == (8, 42, 0)
    detail = capture.read_detail()
    assert (detail.price, detail.catalog_version, detail.beyond, detail.rules) == (12, 1, Beyond(2, 0), 2)
    assert detail.shortfall is None


@pytest.mark.parametrize(("rules", "consumed"), [(1, 12), (2, 8)])
def test_replay_decides_a_capture_by_the_rules_it_names(rules: int, consumed: int) -> None:
    """In version 1 the part beyond the hold was charged; that row is right, and the other amount is not."""
    _, later = _versions(_catalog(1), _catalog(7))
    story = _upgraded_story(rules)
    before, capture = story.folded(story.rows[:-1]), story.rows[-1]
    other = msgspec.structs.replace(capture.read_detail(), rules=3 - rules)
    renamed = msgspec.structs.replace(capture, detail=write_detail(other))

    assert capture.credits_consumed == consumed
    assert find_difference(before, capture, later) is None
    assert find_difference(before, renamed, later) is not None


@pytest.mark.parametrize("covered", [False, True])
@pytest.mark.parametrize("units", [1, 2, 3])
def test_replay_decides_a_capture_by_the_catalogs_it_names(covered: bool, units: int) -> None:
    """Whatever was applied before and since, the capture is what the rules decide by these two."""
    _, placing, capturing, later = _versions(_catalog(9), _catalog(1), _catalog(7), _catalog(3))
    story = _captured_story(placing, capturing, covered=covered, units=units)

    difference = find_difference(story.folded(story.rows[:-1]), story.rows[-1], later)

    assert difference is None


def _forged(story: Story, consumed: int, **facts: Any) -> tuple[Account, Transaction]:
    """The account before the story's capture, and that capture again with other facts and another charge."""
    capture, before = story.rows[-1], story.folded(story.rows[:-1])
    detail = msgspec.structs.replace(capture.read_detail(), **facts)
    change = Change(
        kind="capture",
        at=capture.created_at,
        allocations=(Allocation(before.grants[0].id, "consumed", -consumed),),
        detail=detail,
        feature_used="s",
        credits_consumed=consumed,
    )
    return before, record(before.copy(), change, recorded_at=capture.recorded_at)


@pytest.mark.parametrize(
    ("consumed", "beyond"),
    [
        (21, Beyond(2, 21)),  # the catalog of the placing says 15
        (9, Beyond(3, 9)),  # what a later catalog says
        (21, Beyond(3, 9)),
        (3, None),  # what a catalog before the placing says
    ],
)
def test_replay_finds_a_capture_with_other_prices(consumed: int, beyond: Beyond | None) -> None:
    """The part beyond a covered hold costs what the catalog says that the row names; one since the placing."""
    _, placing, capturing, later = _versions(_catalog(1), _catalog(5), _catalog(7), _catalog(3))
    story = _captured_story(placing, capturing, covered=True, units=5)

    before, row = _forged(story, consumed, beyond=beyond)

    assert story.rows[-1].read_detail().beyond == Beyond(3, 21)
    assert find_difference(before, row, later) is not None


@pytest.mark.parametrize("consumed", [21, 9])
def test_replay_accepts_an_older_capture_without_a_second_catalog(consumed: int) -> None:
    """Older captures name no second catalog: they are right by any catalog since the placing."""
    placing, capturing, later = _versions(_catalog(1), _catalog(7), _catalog(3))
    story = _captured_story(placing, capturing, covered=True, units=5)

    before, row = _forged(story, consumed, beyond=None)

    assert find_difference(before, row, later) is None


def test_text_of_beyond_is_pinned() -> None:
    """The second catalog of a capture comes last, and is left out where it decided nothing."""
    detail = Detail(about="h", price=5, usage=Usage(units=5), catalog_version=1)

    written = [write_detail(detail), write_detail(msgspec.structs.replace(detail, beyond=Beyond(2, 21)))]

    without = '{"price":5,"catalog_version":1,"about":"h","usage":{"units":5}'
    assert written == [without + "}", without + ',"beyond":[2,21]}']

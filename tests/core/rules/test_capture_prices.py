"""What a capture costs when prices, plans and overdrafts changed since its hold was placed, and what its row says."""

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
from sixpence.core.audit.replay import difference
from sixpence.core.catalog.catalog import Catalog, Feature, Plan, PricedBy
from sixpence.core.catalog.price import Usage
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

    def tell(self, priced_by: PricedBy, *commands: Command) -> Transaction:
        """The last row of the commands, which must be accepted."""
        for command in commands:
            clock = max(self.account.last_at + SECOND, priced_by.applied_at)
            decision = decide(self.account, command, clock=clock, priced_by=priced_by)
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
    story.tell(placed_by, EnsureAccount())
    if covered:
        story.tell(placed_by, ChangePlan(plan="pro"))
    hold = story.tell(placed_by, PlaceHold(feature="s", ttl_seconds=600, usage=Usage(units=2)))
    if covered:
        story.tell(placed_by, ChangePlan(plan="free"))
    story.tell(captured_by, CaptureHold(hold_id=hold.id, usage=Usage(units=units)))
    return story


@pytest.mark.parametrize(("covered", "consumed"), [(False, 2), (True, 0)])
def test_a_hold_keeps_the_plan_and_the_price_of_its_placing(covered: bool, consumed: int) -> None:
    """Captured for what it was placed for, under another plan and dearer prices, it costs what it would have then."""
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


def test_what_goes_beyond_a_covered_hold_is_charged_by_the_prices_of_now() -> None:
    """The row says both: the list price by the placing, and what the three units beyond cost by which later catalog."""
    first, dearer = _versions(_catalog(1), _catalog(7))

    story = _captured_story(first, dearer, covered=True, units=5)

    capture = story.rows[-1]
    detail = capture.read_detail()
    assert capture.credits_consumed == 21
    assert (detail.price, detail.catalog_version, detail.beyond) == (5, 1, Beyond(2, 21))


def test_what_goes_beyond_a_hold_may_be_owed_as_far_as_the_plan_allows_now() -> None:
    """It costs what it did at the placing; how much of it may be owed is said by the catalog that the row names."""
    first, generous = _versions(_catalog(10), _catalog(20, overdraft=30))

    story = _captured_story(first, generous, covered=False, units=8)

    capture = story.rows[-1]
    assert (capture.credits_consumed, capture.balance_after, story.account.owed) == (80, -30, 30)
    assert capture.read_detail().beyond == Beyond(2, 60)


@pytest.mark.parametrize("covered", [False, True])
@pytest.mark.parametrize("units", [1, 2, 3])
def test_a_capture_is_decided_again_by_the_catalogs_it_names(covered: bool, units: int) -> None:
    """Whatever was applied before and since, the capture is what the rules say by these two."""
    _, placing, capturing, later = _versions(_catalog(9), _catalog(1), _catalog(7), _catalog(3))
    story = _captured_story(placing, capturing, covered=covered, units=units)

    told = difference(story.folded(story.rows[:-1]), story.rows[-1], later)

    assert told is None


def _forged(story: Story, consumed: int, **facts: Any) -> tuple[Account, Transaction]:
    """The account before the story's capture, and that capture anew with other facts and another charge."""
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
def test_a_capture_by_other_prices_is_found(consumed: int, beyond: Beyond | None) -> None:
    """What goes beyond a covered hold costs what the catalog says that the row names; one since the placing."""
    _, placing, capturing, later = _versions(_catalog(1), _catalog(5), _catalog(7), _catalog(3))
    story = _captured_story(placing, capturing, covered=True, units=5)

    before, row = _forged(story, consumed, beyond=beyond)

    assert story.rows[-1].read_detail().beyond == Beyond(3, 21)
    assert difference(before, row, later) is not None


@pytest.mark.parametrize("consumed", [21, 9])
def test_a_capture_of_before_names_no_second_catalog(consumed: int) -> None:
    """Rows that were written before it was named are right by any catalog since the placing."""
    placing, capturing, later = _versions(_catalog(1), _catalog(7), _catalog(3))
    story = _captured_story(placing, capturing, covered=True, units=5)

    before, row = _forged(story, consumed, beyond=None)

    assert difference(before, row, later) is None


def test_what_a_capture_charged_beyond_its_hold_is_pinned() -> None:
    """The second catalog of a capture stands last, and is left out where it had no say."""
    detail = Detail(about="h", price=5, usage=Usage(units=5), catalog_version=1)

    written = [write_detail(detail), write_detail(msgspec.structs.replace(detail, beyond=Beyond(2, 21)))]

    without = '{"price":5,"catalog_version":1,"about":"h","usage":{"units":5}'
    assert written == [without + "}", without + ',"beyond":[2,21]}']

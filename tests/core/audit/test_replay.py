"""`find_difference`: it accepts every row that the rules wrote, and reports one that only adds up."""

from collections.abc import Callable

import msgspec
import pytest

from sixpence.core.account.account import Account
from sixpence.core.account.apply import apply
from sixpence.core.account.change import Change
from sixpence.core.account.fold import fold, next_id, record
from sixpence.core.account.movement import Allocation
from sixpence.core.account.prior_transactions import PriorTransactions
from sixpence.core.account.transaction import Detail, GrantTerms, Transaction
from sixpence.core.audit.replay import find_difference
from sixpence.core.values.bounds import account_no
from sixpence.core.values.instant import DAY
from tests.core.case_table import read_cases
from tests.core.story_table import ACCOUNT_ID, PRICED_BY, STORIES, read_instant, run_story

_ALL = [case for path in sorted(STORIES.glob("*.txt")) for case in read_cases(path)]


@pytest.mark.parametrize("key", ["", " key k1"], ids=["without-key", "with-key"])
def test_replay_finds_no_difference_in_any_story(key: str) -> None:
    """From its rows alone, each row of each ledger is what the rules would write again."""
    for case in _ALL:
        _, after = run_story(case.state).run(case.command + key)

        assert _differences(after.rows) == []


def test_replay_accepts_erased_metadata() -> None:
    """A row whose metadata was blanked is compared by its digest."""
    state = run_story("@0 ensure; @1 use sketch")
    erased = [msgspec.structs.replace(row, metadata_digest=bytes(32)) for row in state.rows]

    assert _differences([state.rows[0]]) == []
    assert find_difference(_folded(state.rows[:1]), erased[1], PRICED_BY) is None


def test_replay_accepts_older_expiry_without_its_grant() -> None:
    """Older expiries name their grant only in their movements."""
    state = run_story("@0 ensure; @1 grant 5 until 4; @5 tick")
    nameless = msgspec.structs.replace(state.rows[2], detail="{}", about_seq=None)

    assert find_difference(_folded(state.rows[:2]), nameless, PRICED_BY) is None


@pytest.mark.parametrize(
    ("story", "found"),
    [
        ("@0 ensure; @1 plan basic; @2 use interior; @3 void #2 revoke", False),
        ("@0 ensure; @1 grant 5 priority 1; @2 use interior; @3 close; @4 void #2 revoke", False),
        ("@0 ensure; @1 grant 5 priority 1; @2 use interior; @4 void #2 revoke", True),
    ],
)
def test_replay_accepts_older_void_without_shortfall(story: str, found: bool) -> None:
    """Older voids have no shortfall for an allowance, or on a closed account; for other grants they do."""
    state = run_story(story)
    *earlier, void = state.rows
    silent = msgspec.structs.replace(void, detail=void.detail.replace('"shortfall":2', '"shortfall":0'))

    said = find_difference(_folded(earlier), silent, PRICED_BY, prior=state.prior.before(void.seq))

    assert silent.detail != void.detail
    assert (said is not None) is found


def _use(account: Account, *, amount: int, price: int, grant: int = 0) -> Change:
    paid = (Allocation(account.grants[grant].id, "consumed", -amount),)
    return Change(
        kind="consume",
        at=read_instant("5"),
        allocations=paid,
        detail=Detail(price=price, catalog_version=3),
        feature_used="interior",
        credits_consumed=amount,
    )


_WRONG: list[tuple[str, str, str, Callable[[Account], Change]]] = [
    ("a use below its price", "@0 ensure", "credits_consumed", lambda a: _use(a, amount=1, price=2)),
    ("a price that is not the catalog's", "@0 ensure", "price", lambda a: _use(a, amount=1, price=1)),
    ("the wrong grant", "@0 ensure; @1 grant 5 until 90", "allocations", lambda a: _use(a, amount=2, price=2, grant=1)),
    ("a frozen account", "@0 ensure; @1 freeze", "frozen", lambda a: _use(a, amount=2, price=2)),
    ("an expiry passed over", "@0 ensure; @1 grant 5 until 4", "expire", lambda a: _use(a, amount=2, price=2, grant=1)),
    (
        "an allowance that nobody is due",
        "@0 ensure",
        "nothing was due",
        lambda _: Change(kind="allowance", at=read_instant("5")),
    ),
    (
        "an allowance that is too large",
        "@0 ensure; @1 plan weekly; @604801 use sketch 0 units",
        "71",
        lambda a: _allowance(a, 71),
    ),
    (
        "an expiry before its time",
        "@0 ensure; @1 grant 5 until 90",
        "nothing was due",
        lambda a: Change(kind="expire", at=read_instant("5"), allocations=(Allocation(a.grants[0].id, "expired", -5),)),
    ),
]


def _allowance(account: Account, amount: int) -> Change:
    assert account.subscription is not None
    at = account.subscription.ends_at
    terms = GrantTerms(amount, "plan", at, at + 7 * DAY, by_plan="weekly")
    return Change(
        kind="allowance",
        at=at,
        allocations=(Allocation(next_id(account, at), "granted", amount),),
        detail=Detail(catalog_version=3).giving(terms),
    )


@pytest.mark.parametrize(("story", "named", "change"), [w[1:] for w in _WRONG], ids=[w[0] for w in _WRONG])
def test_replay_finds_row_that_only_adds_up(story: str, named: str, change: Callable[[Account], Change]) -> None:
    """A row with a valid hash that the fold accepts, and that the rules would never write, is reported."""
    state = run_story(story)
    made = change(state.account)
    row = record(state.account.copy(), made, recorded_at=made.at)

    found = find_difference(_folded(state.rows), row, PRICED_BY, prior=state.prior)

    apply(state.account.copy(), row)
    assert found is not None
    assert named in found


def _folded(rows: tuple[Transaction, ...] | list[Transaction]) -> Account:
    return fold(Account(account_no=account_no(ACCOUNT_ID), account_id=ACCOUNT_ID), rows)


def _differences(rows: tuple[Transaction, ...] | list[Transaction]) -> list[str]:
    account = _folded([])
    prior = PriorTransactions()
    found = []
    for row in rows:
        found.append(find_difference(account, row, PRICED_BY, prior=prior))
        fold(account, [row])
        prior = prior.with_rows([row])
    return [text for text in found if text is not None]

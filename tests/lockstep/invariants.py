"""The invariants of an account; those of its rows are in `history`."""

from collections.abc import Callable

from sixpence.core.account.account import Account, next_due_at
from sixpence.core.account.commands import Command, GrantCredits, Tick
from sixpence.core.account.grant import burn_down_order
from sixpence.core.catalog.catalog import Catalog, Plan
from sixpence.core.rules.decide import Decision
from sixpence.core.values.bounds import AMOUNT_MAX
from sixpence.core.values.instant import DAY
from tests.lockstep.history import History

# Longer than any hold, grace or year that is drawn.
_FAR = 400 * DAY


def check_account(account: Account, history: History) -> None:
    """Invariants 1 to 3: the account's figures follow from its grants and from its ledger."""
    open_holds = sum(hold.amount for hold in account.holds.values() if hold.state == "open")
    used = history.consumed - history.refunded

    assert account.remaining == sum(grant.free for grant in account.grants) - account.owed - account.overdraft_held
    assert account.remaining == history.amount
    assert account.held == sum(grant.held for grant in account.grants) + account.overdraft_held
    assert account.held == open_holds
    assert account.total == account.remaining + account.held + used
    assert account.total >= 0
    assert 0 <= account.owed <= used
    assert account.overdraft_held >= 0
    for grant in account.grants:
        assert 0 <= grant.held <= grant.remaining <= grant.amount
        assert grant.remaining > 0
        assert grant.over is None or grant.held == grant.remaining
    assert account.total + sum(grant.remaining for grant in account.grants if grant.pending) <= AMOUNT_MAX
    assert account.grants == sorted(account.grants, key=burn_down_order)
    assert account.next_due_at == next_due_at(account)


def check_overdraft(before: Account, after: Account, catalog: Catalog) -> None:
    """Invariant 3: no command takes an account further below zero than its plan's overdraft."""
    owed = after.owed + after.overdraft_held
    if owed > before.owed + before.overdraft_held:
        assert owed <= catalog.plans.get(after.plan, Plan()).overdraft
        assert after.remaining >= -catalog.plans.get(after.plan, Plan()).overdraft


def check_not_stuck(account: Account, now: int, decided: Callable[[Account, Command, int], Decision]) -> None:
    """No account is ever stuck: time passes, and credits can be granted unless it is closed or full."""
    later = decided(account, Tick(), now + _FAR)
    for row in later.rows:
        assert abs(row.balance_after) <= AMOUNT_MAX
        assert 0 <= row.held_after <= AMOUNT_MAX
        assert 0 <= row.total_after <= AMOUNT_MAX
    if account.exists:
        granted = decided(later.account, GrantCredits(amount=1), now + _FAR)
        refused = None if granted.refusal is None else granted.refusal.code
        assert refused in ({"account-closed"} if account.standing == "closed" else {None, "balance-limit"}), refused

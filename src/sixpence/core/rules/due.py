"""The changes that are due: what time alone does to an account, and in which order (invariant 18).

Not here: when the next change is due (`account.next_due_at`).
"""

from sixpence.core.account import grant as grants
from sixpence.core.account.account import Account
from sixpence.core.account.change import Change
from sixpence.core.account.grant import Grant
from sixpence.core.account.hold import Hold
from sixpence.core.account.subscription import Subscription
from sixpence.core.catalog.catalog import PricedBy
from sixpence.core.rules.grants import take_effect
from sixpence.core.rules.hold_ends import expire_hold
from sixpence.core.rules.plans import make_waiting_change
from sixpence.core.rules.terms import expire_or_roll_over, give_allowance


def first_due(account: Account, at: int) -> Hold | Grant | Subscription:
    """Return the first of the things that are due at `at`, which is the account's `next_due_at`.

    At one instant holds time out, grants expire or roll over, the plan changes, the allowance comes, and later grants
    take effect; then by id.
    """
    hold = account.holds.earliest()
    if hold is not None and hold.terms.expires_at == at:
        return hold
    due = [grant for grant in account.grants if grants.due_at(grant) == at]
    over = [grant for grant in due if not grant.pending]
    if over:
        return min(over, key=lambda grant: grant.id)
    subscription = account.subscription
    if subscription is not None and subscription.next_at == at:
        return subscription
    return min(due, key=lambda grant: grant.id)


def next_change(account: Account, at: int, priced_by: PricedBy) -> Change:
    """Return the first change that is due at `at`, decided under the catalog of that instant."""
    in_force = priced_by.at(at)
    match first_due(account, at):
        case Hold() as hold:
            return expire_hold(account, hold)
        case Subscription() as subscription:
            waited = subscription.waiting and at >= subscription.ends_at
            return make_waiting_change(account, in_force) if waited else give_allowance(account, in_force)
        case grant:
            if grant.pending:
                return take_effect(account, grant, at)
            return expire_or_roll_over(account, grant, in_force, at)

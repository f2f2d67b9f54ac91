"""What time alone does to an account, and in which order (invariant 18)."""

from sixpence.core.account import grant as grants
from sixpence.core.account.account import Account
from sixpence.core.account.change import Change
from sixpence.core.account.grant import Grant
from sixpence.core.account.hold import Hold
from sixpence.core.account.subscription import Subscription
from sixpence.core.catalog.catalog import PricedBy
from sixpence.core.rules.grants import took_effect
from sixpence.core.rules.hold_ends import timed_out
from sixpence.core.rules.plans import change_that_waited
from sixpence.core.rules.terms import allowance, expired_or_rolled


def first_due(account: Account, at: int) -> Hold | Grant | Subscription:
    """What changes first of what is due at `at`, which is the account's `next_due_at`.

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
    """The first of the changes that are due at `at`; it happens under the catalog of that instant."""
    then = priced_by.at(at)
    match first_due(account, at):
        case Hold() as hold:
            return timed_out(account, hold)
        case Subscription() as subscription:
            waited = subscription.waiting and at >= subscription.ends_at
            return change_that_waited(account, then) if waited else allowance(account, then)
        case grant:
            return took_effect(account, grant, at) if grant.pending else expired_or_rolled(account, grant, then, at)

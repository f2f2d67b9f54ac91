"""What time alone does to an account, and in which order (invariant 18)."""

from sixpence.core import grant as grants
from sixpence.core.account import Account
from sixpence.core.catalog import PricedBy
from sixpence.core.fold import Change
from sixpence.core.rules.ending import timed_out
from sixpence.core.rules.grants import took_effect
from sixpence.core.rules.plans import change_that_waited
from sixpence.core.rules.terms import allowance, expired_or_rolled


def next_change(account: Account, at: int, priced_by: PricedBy) -> Change:
    """The first of the changes that are due at `at`, which is the account's `next_due_at`.

    At one instant holds time out, grants expire or roll over, the plan changes, the allowance comes, and later grants
    take effect; then by id. It happens under the catalog of that instant.
    """
    then = priced_by.at(at)
    hold = account.holds.earliest()
    if hold is not None and hold.terms.expires_at == at:
        return timed_out(account, hold)
    due = [grant for grant in account.grants if grants.due_at(grant) == at]
    over = [grant for grant in due if not grant.pending]
    if over:
        return expired_or_rolled(account, min(over, key=lambda grant: grant.id), then, at)
    subscription = account.subscription
    if subscription is not None and subscription.next_at == at:
        ends = at >= subscription.ends_at
        return change_that_waited(account, then) if ends and subscription.waiting else allowance(account, then)
    return took_effect(account, min(due, key=lambda grant: grant.id), at)

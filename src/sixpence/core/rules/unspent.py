"""Plan credits that a change of plan ends unspent: their terms count them no longer, and an upgrade loses none.

What a hold has set aside counts as spent, and what rolled over was given by a term that has ended. Not here: when a
plan changes (`plans`), and what a term gives (`terms`).
"""

import msgspec

from sixpence.core.account.account import Account
from sixpence.core.account.grant import CountedIn
from sixpence.core.account.subscription import Subscription


class Unspent(msgspec.Struct, frozen=True):
    """Unspent credits of one term: `counted_in` is its period, or "trial"."""

    counted_in: CountedIn
    expires_at: int
    amount: int


def find_unspent(account: Account) -> tuple[Unspent, ...]:
    """Return the unheld credits of the plan's terms, one entry for each term, the one that expires last first."""
    found: dict[CountedIn, Unspent] = {}
    for grant in reversed(account.grants):
        if grant.by_plan is None or grant.rolled or not grant.free or grant.expires_at is None:
            continue
        assert account.subscription is not None
        counted_in = grant.counted_in or account.subscription.term_name
        earlier = found.get(counted_in)
        amount = grant.free + (0 if earlier is None else earlier.amount)
        found[counted_in] = Unspent(counted_in, grant.expires_at, amount)
    return tuple(found.values())


def carry_over(unspent: tuple[Unspent, ...], came: int) -> tuple[Unspent, ...]:
    """Return what must stay of the unspent credits so that a plan that gives `came` does not lower the balance."""
    missing = sum(part.amount for part in unspent) - came
    carried = []
    for part in unspent:
        amount = min(part.amount, missing)
        if amount > 0:
            carried.append(msgspec.structs.replace(part, amount=amount))
            missing -= amount
    return tuple(carried)


def count(subscription: Subscription, parts: tuple[Unspent, ...]) -> Subscription:
    """Return the subscription whose terms have given these credits, too; a trial that is over is not remembered."""
    return _add(subscription, {part.counted_in: part.amount for part in parts})


def uncount(subscription: Subscription, parts: tuple[Unspent, ...]) -> Subscription:
    """Return the subscription whose terms have not given these credits."""
    return _add(subscription, {part.counted_in: -part.amount for part in parts})


def _add(subscription: Subscription, amounts: dict[CountedIn, int]) -> Subscription:
    aside = [
        msgspec.structs.replace(term, given=term.given + amounts.get(term.period, 0)) for term in subscription.aside
    ]
    given = subscription.given + amounts.get(subscription.term_name, 0)
    return msgspec.structs.replace(subscription, given=given, aside=tuple(aside))

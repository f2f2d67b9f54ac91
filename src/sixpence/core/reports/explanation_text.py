"""An explanation in plain words: what it was, by which rules, the arithmetic, which grants, and what came of it since.

A line each, to be read from top to bottom. What a transaction was is said in `kind_sentences`.
"""

from collections.abc import Iterator

from sixpence.core.account.movement import OVERDRAFT
from sixpence.core.reports.explanation import Event, Explanation, GrantMove
from sixpence.core.reports.labels import MOVEMENTS, credits, of_kind, when
from sixpence.core.reports.price_breakdown import steps
from sixpence.core.reports.sentences import sentence

# So many grants and later transactions are told; the data has them all.
TOLD_MAX = 12


def words_of(explanation: Explanation) -> tuple[str, ...]:
    """The explanation as lines of text."""
    return tuple(_lines(explanation))


def _lines(told: Explanation) -> Iterator[str]:
    yield f"{when(told.created_at)}, transaction {told.seq} of {told.account_id}: {sentence(told)}"
    yield f"Rules: {', '.join(told.rules)}{_catalog(told)}."
    yield from _arithmetic(told)
    yield from _grants(told)
    yield f"Balance: {told.balance_before} {_signed(told.amount)} = {told.balance_after}{_held(told)}."
    if told.reason is not None or told.actor is not None:
        yield _who(told)
    yield from _since(told)


def _catalog(told: Explanation) -> str:
    if told.catalog_version is None:
        return ""
    beyond = (
        f", what went beyond the hold of version {told.beyond_catalog_version}" if told.beyond_catalog_version else ""
    )
    return f"; prices and plans of catalog version {told.catalog_version}{beyond}"


def _arithmetic(told: Explanation) -> Iterator[str]:
    if told.price is None:
        return
    if told.reckoning is not None:
        yield f"Price: {'; '.join(steps(told.reckoning))}."
    else:
        yield f"Price: {told.price}, which was named and not reckoned from a usage."
    if "unlimited plan" in told.rules:
        yield f"Charged: 0 of {told.price}, since plan {told.plan} pays for it."
    elif told.credits_consumed is not None and told.credits_consumed != told.price:
        short = f"; short by {told.shortfall}" if told.shortfall else ""
        yield f"Charged: {told.credits_consumed} of {told.price}{short}."


def _grants(told: Explanation) -> Iterator[str]:
    if not told.moves:
        return
    yield "Grants:"
    for move in told.moves[:TOLD_MAX]:
        yield f"  {abs(move.amount)} {MOVEMENTS[move.movement]}: {_grant(move)}"
    if len(told.moves) > TOLD_MAX:
        yield f"  and {len(told.moves) - TOLD_MAX} more"


def _grant(move: GrantMove) -> str:
    if move.grant_id == OVERDRAFT:
        return "the plan's overdraft"
    if move.category is None or move.effective_at is None:
        return f"grant {move.grant_id}"
    until = "for ever" if move.expires_at is None else f"until {when(move.expires_at)}"
    only = f", for {' and '.join(move.features)} only" if move.features else ""
    instead = f", in the place of grant {move.instead_of}" if move.instead_of else ""
    rolled = "rolled-over " if move.rolled else ""
    return f"{rolled}{move.category} grant {move.grant_id} from {when(move.effective_at)} {until}{only}{instead}"


def _held(told: Explanation) -> str:
    return f", and {told.held_after} held" if told.held_after else ""


def _who(told: Explanation) -> str:
    by = f"By {told.actor}" if told.actor is not None else "Recorded"
    return f"{by}: {told.reason}" if told.reason is not None else f"{by}."


def _since(told: Explanation) -> Iterator[str]:
    if told.left_to_refund is not None and told.credits_consumed:
        back = told.credits_consumed - told.left_to_refund
        yield f"Came back since: {back} of {told.credits_consumed}; {told.left_to_refund} can still be refunded."
    elif not told.since:
        yield "Nothing came of it since."
    if told.since:
        yield "Since then:"
        # The newest are those that matter, and they are told in the order in which they came.
        for later in told.since[-TOLD_MAX:]:
            yield f"  {_later(later)}"
        if told.is_cut or len(told.since) > TOLD_MAX:
            count = "more than " if told.is_cut else ""
            yield f"  the latest {TOLD_MAX} of {count}{len(told.since)}"


def _later(later: Event) -> str:
    what = of_kind(later.kind, feature=later.feature, plan=later.plan)
    back = f", {credits(later.refunded)}" if later.refunded is not None else ""
    why = f" ({later.reason})" if later.reason else ""
    return f"{when(later.created_at)} {what}{back}: balance {later.amount:+}{why}"


def _signed(amount: int) -> str:
    return f"- {-amount}" if amount < 0 else f"+ {amount}"

"""An explanation of a transaction as lines of text: what it was, its rules, the arithmetic, its grants, what followed.

The lines are to be read from top to bottom. Not here: the first line's sentence for each kind (`sentences`).
"""

from collections.abc import Iterator

from sixpence.core.account.movement import OVERDRAFT
from sixpence.core.reports.explanation import Event, Explanation, GrantMove
from sixpence.core.reports.labels import MOVEMENTS, credits, format_time
from sixpence.core.reports.price_breakdown import price_steps
from sixpence.core.reports.sentences import describe

# The text shows at most so many grants and later transactions; the data has them all.
SHOWN_MAX = 12


def write_explanation(explanation: Explanation) -> tuple[str, ...]:
    """Return the explanation as lines of text."""
    return tuple(_lines(explanation))


def _lines(explanation: Explanation) -> Iterator[str]:
    time, account_id = format_time(explanation.created_at), explanation.account_id
    yield f"{time}, transaction {explanation.seq} of {account_id}: {describe(explanation)}"
    yield f"Rules: {', '.join(explanation.rules)}{_catalog(explanation)}."
    yield from _arithmetic(explanation)
    yield from _grants(explanation)
    yield _balance(explanation)
    if explanation.reason is not None or explanation.actor is not None:
        yield _actor_and_reason(explanation)
    yield from _since(explanation)


def _catalog(explanation: Explanation) -> str:
    if explanation.catalog_version is None:
        return ""
    version = explanation.beyond_catalog_version
    beyond = f", what went beyond the hold of version {version}" if version else ""
    return f"; prices and plans of catalog version {explanation.catalog_version}{beyond}"


def _arithmetic(explanation: Explanation) -> Iterator[str]:
    price, charged = explanation.price, explanation.credits_consumed
    if price is None:
        return
    if explanation.reckoning is not None:
        yield f"Price: {'; '.join(price_steps(explanation.reckoning))}."
    else:
        yield f"Price: {price}, named by the caller and not calculated from a usage."
    if "unlimited plan" in explanation.rules:
        yield f"Charged: 0 of {price}, since plan {explanation.plan} pays for it."
    elif charged is not None and charged != price:
        short = f"; short by {explanation.shortfall}" if explanation.shortfall else ""
        is_free_beyond = explanation.beyond_price == 0 and 0 < charged < price
        paid = f"; plan {explanation.plan} pays for what goes beyond the hold" if is_free_beyond else ""
        yield f"Charged: {charged} of {price}{short}{paid}."


def _grants(explanation: Explanation) -> Iterator[str]:
    moves = explanation.moves
    if not moves:
        return
    yield "Grants:"
    for move in moves[:SHOWN_MAX]:
        yield f"  {abs(move.amount)} {MOVEMENTS[move.movement]}: {_grant(move)}"
    if len(moves) > SHOWN_MAX:
        yield f"  and {len(moves) - SHOWN_MAX} more"


def _grant(move: GrantMove) -> str:
    if move.grant_id == OVERDRAFT:
        return "the plan's overdraft"
    if move.category is None or move.effective_at is None:
        return f"grant {move.grant_id}"
    until = "without expiry" if move.expires_at is None else f"until {format_time(move.expires_at)}"
    only = f", for {' and '.join(move.features)} only" if move.features else ""
    instead = f", in the place of grant {move.instead_of}" if move.instead_of else ""
    rolled = "rolled-over " if move.rolled else ""
    return f"{rolled}{move.category} grant {move.grant_id} from {format_time(move.effective_at)} {until}{only}{instead}"


def _balance(explanation: Explanation) -> str:
    change = f"- {-explanation.amount}" if explanation.amount < 0 else f"+ {explanation.amount}"
    held = f", and {explanation.held_after} held" if explanation.held_after else ""
    return f"Balance: {explanation.balance_before} {change} = {explanation.balance_after}{held}."


def _actor_and_reason(explanation: Explanation) -> str:
    by = f"By {explanation.actor}" if explanation.actor is not None else "Recorded"
    return f"{by}: {explanation.reason}" if explanation.reason is not None else f"{by}."


def _since(explanation: Explanation) -> Iterator[str]:
    consumed, left, since = explanation.credits_consumed, explanation.left_to_refund, explanation.since
    if left is not None and consumed:
        yield f"Came back since: {consumed - left} of {consumed}; {left} can still be refunded."
    elif not since:
        yield "No later transaction is about it."
    if since:
        yield "Since then:"
        # The newest are those that matter; they are shown oldest first.
        for later in since[-SHOWN_MAX:]:
            yield f"  {_later(later)}"
        if explanation.is_cut or len(since) > SHOWN_MAX:
            count = "more than " if explanation.is_cut else ""
            yield f"  the latest {SHOWN_MAX} of {count}{len(since)}"


def _later(later: Event) -> str:
    refunded = f", {credits(later.refunded)}" if later.refunded is not None else ""
    reason = f" ({later.reason})" if later.reason else ""
    change = f": balance {later.amount:+}" if later.amount else ""
    return f"{format_time(later.created_at)} {later.label()}{refunded}{change}{reason}"

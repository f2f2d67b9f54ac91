"""One sentence that says what a transaction was, for each kind: a function a kind, in a table that must have them all.

Not here: the other lines of an explanation (`explanation_text`), and the short labels of a statement (`labels`).
"""

from collections.abc import Callable, Mapping

from sixpence.core.account.movement import Movement
from sixpence.core.account.transaction import Kind
from sixpence.core.reports.explanation import Explanation
from sixpence.core.reports.labels import credits, credits_were, format_time


def describe(explanation: Explanation) -> str:
    """Return the sentence that says what the transaction was."""
    return SENTENCES[explanation.kind](explanation)


def _signup(explanation: Explanation) -> str:
    granted = _sum_moved(explanation, "granted")
    return f"the account was opened on plan {explanation.plan} with {credits(granted)}."


def _ensure(_explanation: Explanation) -> str:
    return "the account was requested again; it existed, and nothing changed."


def _grant(explanation: Explanation) -> str:
    scheduled = _sum_moved(explanation, "scheduled")
    if scheduled:
        return f"{credits_were(scheduled)} granted, to take effect on {_effective_time(explanation)}."
    return f"{credits_were(_sum_moved(explanation, 'granted'))} granted."


def _consume(explanation: Explanation) -> str:
    late = ", after its hold had timed out," if explanation.late else ""
    used = f"{explanation.feature} was used{late}"
    if "unlimited plan" in explanation.rules:
        return f"{used} and cost nothing, since plan {explanation.plan} is unlimited."
    return f"{used} and cost {credits(explanation.credits_consumed or 0)}."


def _hold(explanation: Explanation) -> str:
    feature, plan = explanation.feature, explanation.plan
    until = "" if explanation.hold_expires_at is None else f" until {format_time(explanation.hold_expires_at)}"
    if explanation.covered:
        return f"a hold for {feature} was placed{until}; plan {plan} pays for the use, and nothing was set aside."
    return f"{credits_were(_sum_moved(explanation, 'held'))} set aside for {feature}{until}."


def _hold_extend(explanation: Explanation) -> str:
    until = "" if explanation.hold_expires_at is None else f", until {format_time(explanation.hold_expires_at)}"
    return f"the hold on {explanation.feature} was given more time{until}."


def _capture(explanation: Explanation) -> str:
    cost = "nothing" if not explanation.credits_consumed else credits(explanation.credits_consumed)
    held = _sum_moved(explanation, "captured", "released", "lapsed")
    returned = _sum_moved(explanation, "released")
    rest = f"; {held} had been set aside, and {returned} came back" if held else ""
    return f"{explanation.feature} was used from a hold and cost {cost}{rest}."


def _release(explanation: Explanation) -> str:
    return f"the hold on {explanation.feature} was released: {_returned(explanation)}."


def _hold_expire(explanation: Explanation) -> str:
    return f"the hold on {explanation.feature} timed out: {_returned(explanation)}."


def _refund(explanation: Explanation) -> str:
    about = explanation.about
    used = "a use" if about is None else f"the use of {format_time(about.created_at)}"
    return f"a refund gave back {credits(explanation.refunded or 0)} of {used} of {explanation.feature}."


def _void(explanation: Explanation) -> str:
    taken = _sum_moved(explanation, "voided", "unscheduled")
    sentence = f"grant {explanation.about_id} was cancelled, which took {credits(taken)} of it"
    if explanation.shortfall is not None:
        debt = _sum_moved(explanation, "charged_back")
        sentence += f"; of its spent credits {debt} became a debt, and {explanation.shortfall} could not be taken"
    return f"{sentence}."


def _adjust(explanation: Explanation) -> str:
    up, down = _sum_moved(explanation, "granted"), _sum_moved(explanation, "adjusted")
    return f"the balance was corrected by hand: {credits(up or down)} {'given' if up else 'taken'}."


def _plan_change(explanation: Explanation) -> str:
    plan, term = explanation.plan, explanation.term
    if explanation.previous_plan != plan:
        trial = " to try it" if term is not None and term.trial else ""
        return f"the account went from plan {explanation.previous_plan} to plan {plan}{trial}."
    if term is None:
        return f"plan {plan} was requested, and the account was on it."
    ends = format_time(term.ends_at)
    if term.cancelled:
        return f"plan {plan} was cancelled; it runs until {ends}."
    if term.next_plan is not None:
        return f"plan {term.next_plan} was requested; it follows plan {plan} on {ends}."
    return f"plan {plan} continues after its term ends on {ends}."


def _allowance(explanation: Explanation) -> str:
    granted = _sum_moved(explanation, "granted")
    if explanation.term is None or not explanation.term.running:
        return f"a term of plan {explanation.plan} ended, and no other began."
    until = format_time(explanation.term.ends_at)
    if not granted:
        return f"a term of plan {explanation.plan} until {until} gives nothing now."
    return f"plan {explanation.plan} gave {credits(granted)} in its term until {until}."


def _rollover(explanation: Explanation) -> str:
    expired = _sum_moved(explanation, "expired")
    rest = f"; {expired} above the cap expired" if expired else ""
    return f"{credits(_sum_moved(explanation, 'rolled'))} of the unspent allowance rolled over{rest}."


def _take_effect(explanation: Explanation) -> str:
    return f"{credits(_sum_moved(explanation, 'took_effect'))} that had been granted for this time took effect."


def _expire(explanation: Explanation) -> str:
    return f"a grant ended, and {credits(_sum_moved(explanation, 'expired'))} of it expired unspent."


def _freeze(_explanation: Explanation) -> str:
    return "the account was frozen: nothing can be spent or set aside until it is unfrozen."


def _unfreeze(_explanation: Explanation) -> str:
    return "the account was unfrozen: it can spend again."


def _close(explanation: Explanation) -> str:
    cancelled = _sum_moved(explanation, "voided", "unscheduled")
    return f"the account was closed for good, which cancelled {credits(cancelled)}."


SENTENCES: Mapping[Kind, Callable[[Explanation], str]] = {
    "signup": _signup,
    "ensure": _ensure,
    "grant": _grant,
    "consume": _consume,
    "hold": _hold,
    "hold_extend": _hold_extend,
    "capture": _capture,
    "release": _release,
    "hold_expire": _hold_expire,
    "refund": _refund,
    "void": _void,
    "adjust": _adjust,
    "plan_change": _plan_change,
    "allowance": _allowance,
    "rollover": _rollover,
    "take_effect": _take_effect,
    "expire": _expire,
    "freeze": _freeze,
    "unfreeze": _unfreeze,
    "close": _close,
}


def _sum_moved(explanation: Explanation, *movements: Movement) -> int:
    """Return how many credits these movements moved."""
    return sum(abs(move.amount) for move in explanation.moves if move.movement in movements)


def _returned(explanation: Explanation) -> str:
    lapsed = _sum_moved(explanation, "lapsed")
    rest = f"; {lapsed} expired with a grant that had ended" if lapsed else ""
    return f"{credits(_sum_moved(explanation, 'released'))} can be spent again{rest}"


def _effective_time(explanation: Explanation) -> str:
    at = next((move.effective_at for move in explanation.moves if move.movement == "scheduled"), None)
    return "a later day" if at is None else format_time(at)

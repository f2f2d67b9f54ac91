"""What a transaction was, as a sentence for each kind: one function a kind, in a table that must have them all.

What else explains it stands in `explanation_words`.
"""

from collections.abc import Callable, Mapping

from sixpence.core.account.movement import Movement
from sixpence.core.account.transaction import Kind
from sixpence.core.reports.explanation import Explanation
from sixpence.core.reports.labels import credits, credits_were, when


def sentence(told: Explanation) -> str:
    """What the transaction was."""
    return SENTENCES[told.kind](told)


def _signup(told: Explanation) -> str:
    came = _moved(told, "granted")
    return f"the account was opened on plan {told.plan} with {credits(came)}."


def _ensure(_told: Explanation) -> str:
    return "the account was asked for again; it was there, and nothing changed."


def _grant(told: Explanation) -> str:
    later = _moved(told, "scheduled")
    if later:
        return f"{credits_were(later)} granted, to take effect on {_effect(told)}."
    return f"{credits_were(_moved(told, 'granted'))} granted."


def _consume(told: Explanation) -> str:
    late = ", after its hold had timed out," if told.late else ""
    if "unlimited plan" in told.rules:
        return f"{told.feature} was used{late} and cost nothing, since plan {told.plan} is unlimited."
    return f"{told.feature} was used{late} and cost {credits(told.credits_consumed or 0)}."


def _hold(told: Explanation) -> str:
    until = "" if told.hold_expires_at is None else f" until {when(told.hold_expires_at)}"
    if told.covered:
        return f"a use of {told.feature} was announced{until}; plan {told.plan} pays for it, and nothing was set aside."
    return f"{credits_were(_moved(told, 'held'))} set aside for {told.feature}{until}."


def _hold_extend(told: Explanation) -> str:
    until = "" if told.hold_expires_at is None else f", until {when(told.hold_expires_at)}"
    return f"the hold on {told.feature} was given more time{until}."


def _capture(told: Explanation) -> str:
    cost = "nothing" if not told.credits_consumed else credits(told.credits_consumed)
    held = _moved(told, "captured", "released", "lapsed")
    back = _moved(told, "released")
    kept = f"; {held} had been set aside, {back} of it came back" if held else ""
    return f"{told.feature} was used, for which there was a hold, and cost {cost}{kept}."


def _release(told: Explanation) -> str:
    return f"the hold on {told.feature} was released: {_back(told)}."


def _hold_expire(told: Explanation) -> str:
    return f"the hold on {told.feature} timed out: {_back(told)}."


def _refund(told: Explanation) -> str:
    used = "a use" if told.about is None else f"the use of {when(told.about.created_at)}"
    return f"a refund gave back {credits(told.refunded or 0)} of {used} of {told.feature}."


def _void(told: Explanation) -> str:
    taken = _moved(told, "voided", "unscheduled")
    words = f"grant {told.about_id} was cancelled, which took {credits(taken)} of it"
    if told.shortfall is not None:
        debt = _moved(told, "charged_back")
        words += f"; of what had been spent of it {debt} became a debt, and {told.shortfall} could not be taken"
    return f"{words}."


def _adjust(told: Explanation) -> str:
    up, down = _moved(told, "granted"), _moved(told, "adjusted")
    return f"the balance was corrected by hand: {credits(up or down)} {'given' if up else 'taken'}."


def _plan_change(told: Explanation) -> str:
    term = told.term
    if told.previous_plan != told.plan:
        trial = " to try it" if term is not None and term.trial else ""
        return f"the account went from plan {told.previous_plan} to plan {told.plan}{trial}."
    if term is None:
        return f"plan {told.plan} was asked for, and the account was on it."
    if term.cancelled:
        return f"plan {told.plan} was cancelled; it runs until {when(term.ends_at)}."
    if term.next_plan is not None:
        return f"plan {term.next_plan} was asked for; it follows plan {told.plan} on {when(term.ends_at)}."
    return f"plan {told.plan} goes on, until {when(term.ends_at)} and after it."


def _allowance(told: Explanation) -> str:
    came = _moved(told, "granted")
    if told.term is None or not told.term.running:
        return f"a term of plan {told.plan} ended, and no other began."
    until = when(told.term.ends_at)
    if not came:
        return f"a term of plan {told.plan} until {until} gives nothing now."
    return f"plan {told.plan} gave {credits(came)} in its term until {until}."


def _rollover(told: Explanation) -> str:
    lost = _moved(told, "expired")
    rest = f"; {lost} above the cap expired" if lost else ""
    return f"{credits(_moved(told, 'rolled'))} of the allowance that nobody spent rolled over{rest}."


def _take_effect(told: Explanation) -> str:
    return f"{credits(_moved(told, 'took_effect'))} that had been granted for this time took effect."


def _expire(told: Explanation) -> str:
    return f"a grant ended, and {credits(_moved(told, 'expired'))} of it that nobody had spent expired."


def _freeze(_told: Explanation) -> str:
    return "the account was frozen: nothing can be spent or set aside until it is unfrozen."


def _unfreeze(_told: Explanation) -> str:
    return "the account was unfrozen: it can spend again."


def _close(told: Explanation) -> str:
    return f"the account was closed for good, which cancelled {credits(_moved(told, 'voided', 'unscheduled'))}."


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


def _moved(told: Explanation, *movements: Movement) -> int:
    """How many credits these movements moved."""
    return sum(abs(move.amount) for move in told.moves if move.movement in movements)


def _back(told: Explanation) -> str:
    lapsed = _moved(told, "lapsed")
    lost = f"; gone with a grant that had ended: {lapsed}" if lapsed else ""
    return f"{credits(_moved(told, 'released'))} can be spent again{lost}"


def _effect(told: Explanation) -> str:
    at = next((move.effective_at for move in told.moves if move.movement == "scheduled"), None)
    return "a later day" if at is None else when(at)

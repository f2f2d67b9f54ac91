"""The expected figures of answers, reads and refusals, from the reference's state."""

from typing import Any

from sixpence.core.values.instant import from_wire, to_wire
from tests.core.reference import Reference, Refused
from tests.core.reference import Row as ReferenceRow
from tests.histories.history import Asked, Body, Row
from tests.histories.wording import READ
from tests.lockstep.comparing import number_of

Figures = dict[str, Any]


def plain(row: Row | ReferenceRow) -> Figures:
    """The fields that a row of the ledger and one of the reference share."""
    names = ("kind", "at", "amount", "remaining", "total", "held", "plan", "feature", "consumed")
    return {name: getattr(row, name) for name in names}


def fields_of(body: Body, expected: Figures) -> Figures:
    """The body's values of the expected fields."""
    return {name: _comparable(name, body.get(name)) for name in expected}


def expected_answer(asked: Asked, row: ReferenceRow, reference: Reference) -> Figures:
    """The expected answer to an accepted request, right after its row."""
    figures: Figures = {
        "remaining": row.remaining,
        "total": row.total,
        "held": row.held,
        "subscription_status": row.plan,
    }
    if asked.kind != "ensure":
        figures["created_at"] = to_wire(row.at)
    match asked.kind:
        case "ensure":
            figures["created"] = row.kind == "signup"
        case "consume":
            figures |= {"feature": row.feature, "credits_consumed": row.consumed}
        case "grant":
            figures["amount"] = _moved(row, "granted", "scheduled")
        case "place_hold":
            hold = reference.memory.holds[len(reference.rows)]
            figures |= {"feature": row.feature, "amount": _moved(row, "held"), "expires_at": to_wire(hold.until_at)}
        case "extend_hold":
            hold = reference.memory.holds[int(number_of(asked.fields["hold_id"]))]
            figures |= {"hold_id": asked.fields["hold_id"], "expires_at": to_wire(hold.until_at)}
        case "capture_hold":
            figures |= {
                "hold_id": asked.fields["hold_id"],
                "credits_consumed": row.consumed,
                "shortfall": row.shortfall or 0,
                "released": _moved(row, "released"),
                "late": row.kind == "consume",
            }
        case "release_hold":
            figures |= {"hold_id": asked.fields["hold_id"], "released": _moved(row, "released")}
        case "refund":
            figures |= {"refunded_id": asked.fields["transaction_id"], "refunded": row.refunded}
        case "void_grant":
            figures |= {
                "grant_id": asked.fields["grant_id"],
                "voided": _moved(row, "voided", "unscheduled"),
                "charged_back": _moved(row, "charged_back"),
                "shortfall": row.shortfall or 0,
            }
        case "freeze" | "unfreeze":
            figures["standing"] = "frozen" if asked.kind == "freeze" else "open"
        case "adjust":
            figures["amount"] = asked.fields["amount"]
    return figures


def expected_read(asked: Asked, reference: Reference) -> Figures:
    """The expected fields of a read; grants by the reference's names, with remaining and held."""
    memory, row = reference.memory, reference.rows[-1]
    figures: Figures = {
        "remaining": row.remaining,
        "total": row.total,
        "held": row.held,
        "subscription_status": row.plan,
    }
    if asked.kind == READ:
        figures["grants"] = sorted(
            [gift.name, memory.left(gift.name), memory.held(gift.name)] for gift in memory.alive()
        )
    return figures


def refusal_matches(body: Body, refused: Refused) -> bool:
    """Whether a refusal has the reference's code, and its facts."""
    expected = {name: _comparable(name, value) for name, value in refused.facts.items()}
    return body.get("code") == refused.code and fields_of(body, expected) == expected


def _moved(row: ReferenceRow, *words: str) -> int:
    return abs(sum(amount for _, word, amount in row.moves if word in words))


def _comparable(name: str, value: Any) -> Any:
    if name == "grants":
        if value is None:
            return None
        return sorted([number_of(grant["id"]), grant["remaining"], grant["held"]] for grant in value)
    if name.endswith("_at") and value is not None:
        return to_wire(value if isinstance(value, int) else from_wire(name, value))
    return value

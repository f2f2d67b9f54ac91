"""What a field may hold: every invalid value is refused by the field's name, without the database."""

from typing import Any

import pytest

from sixpence.core.catalog.price import Usage
from sixpence.core.errors import InvalidInputError
from sixpence.service.credits import CreditService

BIG = 2**53
HOLD = ("ada", "draw")
CASES: list[tuple[str, tuple[Any, ...], dict[str, Any], str]] = [
    ("consume_credit", HOLD, {"units": -1}, "units: -1 is out of range. Send an integer from 0 to 9007199254740991."),
    ("consume_credit", HOLD, {"units": True}, "units: True is not a whole number."),
    ("consume_credit", HOLD, {"units": 1.0}, "units: 1.0 is not a whole number."),
    ("consume_credit", HOLD, {"units": BIG}, "units: 9007199254740992 is out of range."),
    ("consume_credit", HOLD, {"units": 1, "usage": Usage()}, "units: was sent beside usage. Send one of the two."),
    ("consume_credit", HOLD, {"usage": {"units": 1}}, "usage: {'units': 1} is not a Usage. Send Usage(model=..., "),
    ("consume_credit", HOLD, {"usage": Usage(units=-1)}, "usage.units: -1 is out of range."),
    ("consume_credit", HOLD, {"usage": Usage(model="")}, "usage.model: is empty. Send 1 to 63 characters."),
    ("consume_credit", HOLD, {"usage": Usage(model="m", input_tokens=BIG)}, "usage.input_tokens: 9007199254740992 is"),
    ("consume_credit", HOLD, {"usage": Usage(model="m", output_tokens=-1)}, "usage.output_tokens: -1 is out of range."),
    ("validate_credit_usage", HOLD, {"units": "3"}, "units: '3' is not a whole number."),
    ("estimate", ("draw",), {"units": 1, "usage": Usage()}, "units: was sent beside usage."),
    ("place_hold", HOLD, {"amount": 0}, "amount: 0 is out of range. Send an integer from 1 to 9007199254740991."),
    ("place_hold", HOLD, {"amount": 1, "units": 1}, "amount: was sent beside units. Send one of the two."),
    ("place_hold", HOLD, {"amount": 1, "usage": Usage()}, "amount: was sent beside usage. Send one of the two."),
    (
        "place_hold",
        HOLD,
        {"amount": 1, "usage": Usage(model="m", input_tokens=1)},
        "amount: was sent beside tokens. Send one of the two; beside an amount only the model.",
    ),
    ("place_hold", HOLD, {"ttl_seconds": 0}, "ttl_seconds: 0 is out of range."),
    ("place_hold", HOLD, {"ttl_seconds": 2_592_001}, "ttl_seconds: 2592001 is out of range. Send an integer from 1 to"),
    ("place_hold", HOLD, {"ttl_seconds": 1.5}, "ttl_seconds: 1.5 is not a whole number."),
    ("extend_hold", ("ada", ""), {}, "hold_id: is empty."),
    ("extend_hold", ("ada", "h"), {"ttl_seconds": -1}, "ttl_seconds: -1 is out of range."),
    ("capture_hold", ("ada", "x" * 64), {}, "hold_id: has 64 characters. Send at most 63."),
    ("capture_hold", ("ada", "h"), {"amount": -1}, "amount: -1 is out of range. Send an integer from 0 to"),
    ("capture_hold", ("ada", "h"), {"amount": 1, "units": 1}, "amount: was sent beside units."),
    ("capture_hold", ("ada", "h"), {"mode": "all"}, "mode: 'all' is not one of exact, up_to_available."),
    ("capture_hold", ("ada", "h"), {"late": 1}, "late: 1 is not true or false. Send one of these."),
    ("release_hold", ("ada", "h"), {"reason": ""}, "reason: is empty."),
    ("list_holds", ("ada",), {"limit": 201}, "limit: 201 is not a whole number from 1 to 200."),
    ("refund", ("ada", ""), {}, "transaction_id: is empty."),
    ("refund", ("ada", "t"), {"amount": 0}, "amount: 0 is out of range."),
    ("get_credit_history", ("ada",), {"kind": "zz"}, "kind: 'zz' is not one of signup, ensure, grant, consume, hold, "),
    ("get_credit_history", ("ada",), {"kind": ""}, "kind: '' is not one of signup, "),
    ("get_credit_history", ("ada",), {"kind": 5}, "kind: 5 is not one of signup, "),
    ("get_transaction", ("ada", "\0"), {}, "transaction_id: '\\x00' has a control character"),
    ("void_grant", ("ada", "g"), {"revoke_spent": "yes"}, "revoke_spent: 'yes' is not true or false."),
    ("void_grant", ("ada", "g" * 100), {}, "grant_id: has 100 characters."),
    ("adjust", ("ada", 0), {"reason": "r", "actor": "a"}, "amount: 0 is out of range. Send an integer from -900719925"),
    ("adjust", ("ada", -BIG), {"reason": "r", "actor": "a"}, "amount: -9007199254740992 is out of range."),
    ("adjust", ("ada", True), {"reason": "r", "actor": "a"}, "amount: True is not a whole number."),
    ("adjust", ("ada", 1), {"reason": "", "actor": "a"}, "reason: is empty."),
    ("adjust", ("ada", 1), {"reason": "r", "actor": None}, "actor: None is not text."),
    ("update_subscription_status", ("ada", "pro"), {"trial": 1}, "trial: 1 is not true or false."),
    ("cancel_subscription", ("ada",), {"reason": "x" * 1_001}, "reason: has 1001 characters. Send at most 1000."),
    ("freeze_account", ("ada",), {"actor": ""}, "actor: is empty."),
    ("close_account", ("",), {}, "account_id: is empty."),
    ("grant_credits", ("ada", 1), {"source_key": ""}, "source_key: is empty. Send 1 to 255 characters."),
    ("grant_credits", ("ada", 1), {"source_key": "a\x1fb"}, "source_key: 'a\\x1fb' has a control character"),
]


@pytest.mark.parametrize(("operation", "arguments", "named", "message"), CASES)
async def test_invalid_field_is_refused_before_database(
    operation: str, arguments: tuple[Any, ...], named: dict[str, Any], message: str
) -> None:
    """The refusal has the field, the value and what to send; the database is not opened."""
    service = CreditService("postgresql://app@127.0.0.1:1/missing")

    with pytest.raises(InvalidInputError) as refused:
        await getattr(service, operation)(*arguments, **named)

    assert str(refused.value).startswith(message)
    await service.close()

"""Each command over HTTP has the arguments of the service's method: the same names, the same defaults."""

import inspect
from typing import Any

import msgspec
import pytest

from sixpence import CreditService
from sixpence.http.batch.lines import COMMANDS
from sixpence.http.commands.command import Command
from sixpence.http.commands.consume import Consume
from sixpence.http.commands.grants import Adjust, EnsureAccount, Grant, VoidGrant
from sixpence.http.commands.holds import CaptureHold, ExtendHold, PlaceHold, ReleaseHold
from sixpence.http.commands.plans import CancelPlan, ChangePlan, CloseAccount, FreezeAccount, UnfreezeAccount
from sixpence.http.commands.refunds import Refund
from sixpence.http.endpoints.commands import SERVER_COMMANDS

METHODS: dict[type[Command], Any] = {
    Consume: CreditService.consume_credit,
    PlaceHold: CreditService.place_hold,
    ExtendHold: CreditService.extend_hold,
    CaptureHold: CreditService.capture_hold,
    ReleaseHold: CreditService.release_hold,
    EnsureAccount: CreditService.initialize_user_credits,
    Grant: CreditService.grant_credits,
    VoidGrant: CreditService.void_grant,
    Adjust: CreditService.adjust,
    Refund: CreditService.refund,
    ChangePlan: CreditService.update_subscription_status,
    CancelPlan: CreditService.cancel_subscription,
    FreezeAccount: CreditService.freeze_account,
    UnfreezeAccount: CreditService.unfreeze_account,
    CloseAccount: CreditService.close_account,
}
# Not in a body: these come from the path, the header and the caller. Only Python can pass a connection.
NOT_IN_BODY = {"self", "account_id", "actor", "idempotency_key", "connection"}
# In Python the reason of a grant is optional; over HTTP it is required.
STRICTER_OVER_HTTP = {(Grant, "reason")}


@pytest.mark.parametrize("command", METHODS, ids=lambda command: command.__name__)
def test_command_has_the_arguments_of_the_service_method(command: type[Command]) -> None:
    """Every argument of the method is a field with the same default, and every field is an argument."""
    parameters = inspect.signature(METHODS[command]).parameters

    arguments = {
        name: default_of(each) for name, each in parameters.items() if name not in NOT_IN_BODY | {command.item}
    }

    fields = {each.name: field_default(command, each) for each in msgspec.structs.fields(command)}
    fields.pop("account_id", None)
    assert fields == {
        name: REQUIRED if (command, name) in STRICTER_OVER_HTTP else default for name, default in arguments.items()
    }


@pytest.mark.parametrize("command", METHODS, ids=lambda command: command.__name__)
def test_command_item_and_actor_match_the_service_method(command: type[Command]) -> None:
    """The item of a command is an argument of the method, and its actor is recorded where the method takes one."""
    parameters = inspect.signature(METHODS[command]).parameters

    items = {name for name in parameters if name.endswith("_id")} - {"account_id", "generation_id"}

    assert (items, "actor" in parameters) == ({command.item} - {""}, command.records_actor)


def test_every_command_is_compared() -> None:
    """These tests compare every command of a route or a batch line."""
    assert {*SERVER_COMMANDS.values(), *COMMANDS.values()} == set(METHODS)


REQUIRED = object()


def default_of(parameter: inspect.Parameter) -> object:
    """The default of a method's argument."""
    return REQUIRED if parameter.default is inspect.Parameter.empty else parameter.default


def field_default(command: type[Command], field: msgspec.structs.FieldInfo) -> object:
    """The default of a field, as the method has it."""
    if field.required:
        return REQUIRED
    return None if field.default is msgspec.UNSET else field.default

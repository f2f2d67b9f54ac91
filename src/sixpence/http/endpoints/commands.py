"""The routes that change an account: one path each, below the account's path, for servers and for operators.

Not here: what a command takes and does (`sixpence.http.commands`), and the user's own consume (`user`).
"""

from collections.abc import Mapping
from types import MappingProxyType

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sixpence.http.callers.callers import Admission, CreditEndpoint, Endpoint, IdentifyActor
from sixpence.http.commands.command import Command, Target
from sixpence.http.commands.consume import Consume
from sixpence.http.commands.grants import Adjust, Grant, VoidGrant
from sixpence.http.commands.holds import CaptureHold, ExtendHold, PlaceHold, ReleaseHold
from sixpence.http.commands.plans import CancelPlan, ChangePlan, CloseAccount, FreezeAccount, UnfreezeAccount
from sixpence.http.commands.refunds import Refund
from sixpence.http.wire.bodies import idempotency_key, read_body
from sixpence.http.wire.paths import account_id_in, id_in
from sixpence.service.credits import CreditService

OPERATOR_COMMANDS: Mapping[str, type[Command]] = MappingProxyType(
    {
        "holds": PlaceHold,
        "holds/{hold_id}/extend": ExtendHold,
        "holds/{hold_id}/capture": CaptureHold,
        "holds/{hold_id}/release": ReleaseHold,
        "transactions/{transaction_id}/refund": Refund,
        "grants/{grant_id}/void": VoidGrant,
        "adjust": Adjust,
        "plan": ChangePlan,
        "plan/cancel": CancelPlan,
        "freeze": FreezeAccount,
        "unfreeze": UnfreezeAccount,
        "close": CloseAccount,
    }
)
SERVER_COMMANDS: Mapping[str, type[Command]] = MappingProxyType(
    {"consume": Consume, "grants": Grant, **OPERATOR_COMMANDS}
)


def command_routes(
    at: str,
    commands: Mapping[str, type[Command]],
    *,
    admit: Admission,
    identify_actor: IdentifyActor,
    credits: CreditService,
    body_bytes_max: int,
) -> list[Route]:
    """A route for each command, below the account's path `at`.

    `admit` admits callers of commands that record no actor. For the others `identify_actor` gives the name to record,
    and they run on `credits`.
    """

    def endpoint_of(command: type[Command]) -> Endpoint:
        if command.records_actor:
            return _recorded(command, identify_actor, credits, body_bytes_max)
        return admit(_unrecorded(command, body_bytes_max))

    return [Route(f"{at}/{path}", endpoint_of(command), methods=["POST"]) for path, command in commands.items()]


def _unrecorded(command: type[Command], body_bytes_max: int) -> CreditEndpoint:
    async def endpoint(request: Request, credits: CreditService) -> Response:
        return await _run(request, command, credits, actor="", body_bytes_max=body_bytes_max)

    return endpoint


def _recorded(
    command: type[Command], identify_actor: IdentifyActor, credits: CreditService, body_bytes_max: int
) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        return await _run(request, command, credits, actor=await identify_actor(request), body_bytes_max=body_bytes_max)

    return endpoint


async def _run(
    request: Request, command: type[Command], credits: CreditService, *, actor: str, body_bytes_max: int
) -> Response:
    account_id = account_id_in(request)
    item_id = id_in(request, command.item) if command.item else ""
    body = await read_body(request, command, bytes_max=body_bytes_max)
    return await body.run(credits, Target(account_id, item_id, idempotency_key(request), actor))

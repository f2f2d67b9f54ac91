"""The demo checkout: one click changes the plan, without a card. Only the studio has it, and no money moves."""

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from sixpence import InvalidInputError
from sixpence.integrations.starlette import CreditIntegration

BODY_BYTES_MAX = 4096


class PlanChoice(msgspec.Struct, forbid_unknown_fields=True):
    """The body: the name of the wanted plan."""

    plan: str


class Checkout:
    """Changes the signed-in user's plan to one of the catalog."""

    def __init__(self, integration: CreditIntegration) -> None:
        self._integration = integration

    async def buy(self, request: Request) -> Response:
        """Change the plan, and answer with the balance after the change."""
        await self._integration.account_of(request)
        choice = await _read_plan(request)
        await self._integration.update_subscription_status(request, choice.plan, reason="demo checkout")
        credits = await self._integration.get_user_credit_status(request)
        return JSONResponse(msgspec.to_builtins(credits), headers={"Cache-Control": "no-store"})


async def _read_plan(request: Request) -> PlanChoice:
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > BODY_BYTES_MAX:
            raise HTTPException(413, f"body: has more than {BODY_BYTES_MAX} bytes. Send less.")
    try:
        return msgspec.json.decode(body, type=PlanChoice)
    except msgspec.ValidationError as error:
        raise InvalidInputError("plan", f'{error}. Send an object like {{"plan": "pro"}}.') from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise HTTPException(400, f'body: is not JSON ({error}). Send an object like {{"plan": "pro"}}.') from None

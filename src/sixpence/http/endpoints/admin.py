"""The endpoints of operators, which the command line uses too. The operator's name is recorded with each change."""

from dataclasses import asdict
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sixpence.auth.api_keys import ApiKey, ApiKeys
from sixpence.auth.user import Role
from sixpence.auth.users import Users
from sixpence.core.values.instant import to_wire
from sixpence.http.callers.callers import Callers
from sixpence.http.commands.command import Target
from sixpence.http.commands.grants import Grant
from sixpence.http.endpoints.admin_catalog import admin_catalog_routes
from sixpence.http.endpoints.admin_overview import Overviews
from sixpence.http.endpoints.commands import OPERATOR_COMMANDS, command_routes
from sixpence.http.endpoints.history import history_routes
from sixpence.http.endpoints.records import record_routes
from sixpence.http.endpoints.usage import usage_routes
from sixpence.http.wire import responses
from sixpence.http.wire.bodies import idempotency_key, read_body
from sixpence.ledger.ledger import Ledger
from sixpence.service.credits import CreditService


class AdminGrant(msgspec.Struct, forbid_unknown_fields=True):
    """The body of an operator's grant, in the original's words."""

    user_id: str
    amount: int
    reason: str
    expires_at: str | None = None
    source_key: str | None = None


class NewKey(msgspec.Struct, forbid_unknown_fields=True):
    """The body that makes an API key."""

    name: str


class NewUser(msgspec.Struct, forbid_unknown_fields=True):
    """The body that makes a user."""

    email: str
    name: str
    password: str
    role: Role = "user"


class KeyId(msgspec.Struct, forbid_unknown_fields=True):
    """The body that names an API key."""

    id: str


class AccountName(msgspec.Struct, forbid_unknown_fields=True):
    """The body that names an account."""

    account_id: str


def admin_routes(
    ledger: Ledger, credits: CreditService, users: Users, api_keys: ApiKeys, callers: Callers, *, body_bytes_max: int
) -> list[Route]:
    """The routes under `/api/admin`."""
    api = _AdminApi(credits, users, api_keys, callers, Overviews(ledger, credits), body_bytes_max)
    account, identify_actor, admit = (
        "/api/admin/accounts/{account_id}",
        callers.operator,
        callers.operator_admission(credits),
    )
    return [
        Route("/api/admin/credits/grant", api.grant, methods=["POST"]),
        Route("/api/admin/accounts/show", api.show, methods=["POST"]),
        Route("/api/admin/users", api.create_user, methods=["POST"]),
        Route("/api/admin/keys", api.list_keys, methods=["GET"]),
        Route("/api/admin/keys", api.create_key, methods=["POST"]),
        Route("/api/admin/keys/revoke", api.revoke_key, methods=["POST"]),
        *record_routes(account, admit=admit, identify_actor=identify_actor, credits=credits),
        *command_routes(
            account,
            OPERATOR_COMMANDS,
            admit=admit,
            identify_actor=identify_actor,
            credits=credits,
            body_bytes_max=body_bytes_max,
        ),
        *usage_routes(account, admit),
        *history_routes(account, admit),
        *admin_catalog_routes(ledger, credits, callers, body_bytes_max=body_bytes_max),
    ]


class _AdminApi:
    def __init__(
        self,
        credits: CreditService,
        users: Users,
        api_keys: ApiKeys,
        callers: Callers,
        overviews: Overviews,
        body_bytes_max: int,
    ) -> None:
        self._credits = credits
        self._users = users
        self._api_keys = api_keys
        self._callers = callers
        self._overviews = overviews
        self._body_bytes_max = body_bytes_max

    async def grant(self, request: Request) -> Response:
        """Give credits to a user."""
        operator = await self._callers.operator(request)
        body = await read_body(request, AdminGrant, bytes_max=self._body_bytes_max)
        command = Grant(amount=body.amount, reason=body.reason, expires_at=body.expires_at, source_key=body.source_key)
        return await command.run(self._credits, Target(body.user_id, "", idempotency_key(request), operator))

    async def show(self, request: Request) -> Response:
        """An account's credits, its live grants and its latest transactions."""
        await self._callers.operator(request)
        body = await read_body(request, AccountName, bytes_max=self._body_bytes_max)
        return responses.json(await self._overviews.overview(body.account_id))

    async def create_user(self, request: Request) -> Response:
        """Make a user, with an account of credits."""
        await self._callers.operator(request)
        body = await read_body(request, NewUser, bytes_max=self._body_bytes_max)
        user = await self._users.create_user(email=body.email, name=body.name, password=body.password, role=body.role)
        await self._credits.initialize_user_credits(user.id, idempotency_key=f"signup:{user.id}")
        return responses.json({"id": user.id, "email": user.email, "name": user.name, "role": user.role}, 201)

    async def create_key(self, request: Request) -> Response:
        """Make an API key; the answer is the only place where it is ever shown."""
        operator = await self._callers.operator(request)
        body = await read_body(request, NewKey, bytes_max=self._body_bytes_max)
        made = await self._api_keys.create_key(name=body.name, created_by=operator)
        return responses.json({"id": made.key.id, "name": made.key.name, "key": made.text}, 201)

    async def list_keys(self, request: Request) -> Response:
        """Every API key by its id, name and first characters, newest first."""
        await self._callers.operator(request)
        return responses.json({"keys": [_shown(key) for key in await self._api_keys.list_keys()]})

    async def revoke_key(self, request: Request) -> Response:
        """End an API key."""
        await self._callers.operator(request)
        body = await read_body(request, KeyId, bytes_max=self._body_bytes_max)
        return responses.json(_shown(await self._api_keys.revoke(body.id)))


def _shown(key: ApiKey) -> dict[str, Any]:
    revoked_at = None if key.revoked_at is None else to_wire(key.revoked_at)
    return {**asdict(key), "created_at": to_wire(key.created_at), "revoked_at": revoked_at}

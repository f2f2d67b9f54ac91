"""A command as HTTP sends it: one Struct is the body of a single request and the line of a batch, for every caller.

The service's methods have the same arguments; a test compares the two. Not here: the paths of the commands
(`endpoints.commands`) and the ids and keys of a batch line (`batch.lines`).
"""

from typing import ClassVar

import msgspec
from starlette.responses import Response

from sixpence.service.credits import CreditService


class Target(msgspec.Struct, frozen=True, gc=False):
    """The target of a command: the account, the item in it, the caller's key, and the actor to record."""

    account_id: str
    item_id: str
    idempotency_key: str | None
    actor: str


class Command(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A change to one account; `item` is the field that names a hold, a grant or a transaction of it, if any."""

    item: ClassVar[str] = ""
    # Whether the actor is recorded with the change.
    records_actor: ClassVar[bool] = False

    metadata: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET

    async def run(self, credits: CreditService, target: Target) -> Response:
        """Make the change and answer it; raises the refusal of the service's method."""
        raise NotImplementedError

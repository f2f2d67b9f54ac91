"""What a line of a batch holds: a command, with the ids of its path and the key of its header.

Each line runs the command that a single request runs. Not here: order and throughput (`runner`).
"""

from typing import Any, Literal, cast

import msgspec
from starlette.responses import Response

from sixpence.core.errors import InvalidInputError
from sixpence.http.commands.command import Command, Target
from sixpence.http.commands.consume import Consume
from sixpence.http.commands.grants import EnsureAccount, Grant
from sixpence.http.commands.holds import CaptureHold, ExtendHold, PlaceHold, ReleaseHold
from sixpence.http.commands.refunds import Refund
from sixpence.http.wire.bodies import decoded
from sixpence.service.credits import CreditService

Op = Literal["consume", "place_hold", "capture_hold", "release_hold", "extend_hold", "grant", "refund", "ensure"]

COMMANDS: dict[Op, type[Command]] = {
    "consume": Consume,
    "place_hold": PlaceHold,
    "capture_hold": CaptureHold,
    "release_hold": ReleaseHold,
    "extend_hold": ExtendHold,
    "grant": Grant,
    "refund": Refund,
    "ensure": EnsureAccount,
}


class Line:
    """A line that was read: its command and where it goes."""

    __slots__ = ("_command", "_item_id", "_key", "account_id")

    def __init__(self, command: Command) -> None:
        # `_line_of` added these fields to the command's own.
        sent = cast(Any, command)
        self._command = command
        self.account_id: str = sent.account_id
        self._item_id: str = getattr(sent, command.item) if command.item else ""
        self._key: str | None = sent.idempotency_key
        if self._key is not None and (not self._key.isascii() or self._key != self._key.strip(" ")):
            # A single request could not send it: in a header the same name would be another key, or missing.
            problem = "is not what the header Idempotency-Key can hold. Send ASCII, without space around it."
            raise InvalidInputError("idempotency_key", problem)

    @property
    def is_exclusive(self) -> bool:
        """Whether it reads its account before it enters the writer's queue, so that no line may overtake it there."""
        return isinstance(self._command, Grant) and self._command.source_key is not None

    async def run(self, credits: CreditService, actor: str) -> Response:
        """Run it and give the single request's answer; raises the single request's refusal."""
        return await self._command.run(credits, Target(self.account_id, self._item_id, self._key, actor))


def read_line(text: bytes) -> Line:
    """The line in these bytes; raises as `read_body` does."""
    return Line(decoded(text, _LINES[decoded(text, _Operation).op]))


def _line_of(command: type[Command]) -> type[Command]:
    """The command's Struct, with the fields that a line has beside those of the body."""
    fields: list[Any] = [("op", str)]
    if "account_id" not in command.__struct_fields__:
        fields.append(("account_id", str))
    if command.item:
        fields.append((command.item, str))
    fields.append(("idempotency_key", str | None, None))
    made = msgspec.defstruct(command.__name__, fields, bases=(command,), kw_only=True, forbid_unknown_fields=True)
    return cast(type[Command], made)


class _Operation(msgspec.Struct):
    op: Op


_LINES = {name: _line_of(command) for name, command in COMMANDS.items()}

"""API keys: what a server sends as `Authorization: Bearer` to act for every account.

A key is shown once, when it is made, and stored as its SHA-256. Not here: the header (`sixpence.http`).
"""

import hmac
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, fields

from sqlalchemy import Connection, insert, select, update

from sixpence.auth import tokens
from sixpence.auth.database import Database
from sixpence.auth.errors import ApiKeyNotFoundError
from sixpence.auth.shared_read import SharedRead
from sixpence.auth.user import check_name
from sixpence.ledger.database.tables import auth_api_keys

PREFIX = "sixpence_"
RANDOM_LENGTH = 40
# Of 40 characters four are told, which leaves 214 bits.
HINT_LENGTH = len(PREFIX) + 4

_SHAPE = re.compile(rf"{PREFIX}[A-Za-z0-9]{{{RANDOM_LENGTH}}}")


@dataclass(frozen=True, slots=True)
class ApiKey:
    """What is known of a key once it has been shown: `hint` is how it begins."""

    id: str
    name: str
    hint: str
    created_by: str
    created_at: int
    revoked_at: int | None


@dataclass(frozen=True, slots=True)
class NewApiKey:
    """A key with its text, which nobody can show again."""

    key: ApiKey
    text: str = field(repr=False)


_COLUMNS = [auth_api_keys.c[each.name] for each in fields(ApiKey)]


class ApiKeys:
    """Makes, finds, lists and revokes keys. `clock` gives microseconds since 1970 UTC."""

    def __init__(self, database: Database, clock: Callable[[], int]) -> None:
        self._database = database
        self._clock = clock
        # A server shows one key with every request; those that are under way together share a look.
        self._looks = SharedRead(self._look)

    async def create_key(self, *, name: str, created_by: str) -> NewApiKey:
        """Make a key; raises `InvalidInputError` for a name that is not 1 to 200 characters."""
        check_name(name)
        check_name(created_by, field="created_by")
        text = PREFIX + tokens.random_word(RANDOM_LENGTH)
        key = ApiKey(
            id=tokens.random_word(tokens.ID_LENGTH),
            name=name,
            hint=text[:HINT_LENGTH],
            created_by=created_by,
            created_at=self._clock(),
            revoked_at=None,
        )
        row = {**asdict(key), "key_hash": tokens.digest(text)}
        await self._database.write(lambda connection: connection.execute(insert(auth_api_keys).values(row)))
        return NewApiKey(key, text)

    def permit_of(self, text: str) -> bytes | None:
        """The hash of what may be a key, to be looked up where it is used; None for what cannot be one."""
        return tokens.digest(text) if _SHAPE.fullmatch(text) else None

    async def find_key(self, text: str) -> ApiKey | None:
        """The key with this text, unless there is none or it was revoked; never an answer from before the question."""
        if not _SHAPE.fullmatch(text):
            return None
        return await self._looks.get(text)

    async def list_keys(self) -> list[ApiKey]:
        """Every key, revoked ones too, newest first."""
        newest_first = select(*_COLUMNS).order_by(auth_api_keys.c.created_at.desc(), auth_api_keys.c.id)
        return await self._database.read(lambda connection: [ApiKey(*row) for row in connection.execute(newest_first)])

    async def revoke(self, key_id: str) -> ApiKey:
        """End a key; one that was revoked before keeps its time. Raises `ApiKeyNotFoundError`."""
        now = self._clock()

        def job(connection: Connection) -> ApiKey:
            this = auth_api_keys.c.id == key_id
            connection.execute(
                update(auth_api_keys).where(this, auth_api_keys.c.revoked_at.is_(None)).values(revoked_at=now)
            )
            row = connection.execute(select(*_COLUMNS).where(this)).first()
            if row is None:
                raise ApiKeyNotFoundError(key_id)
            return ApiKey(*row)

        return await self._database.write(job)

    async def _look(self, text: str) -> ApiKey | None:
        return await self._database.read(lambda connection: _find_live_key(connection, tokens.digest(text)))


def _find_live_key(connection: Connection, key_hash: bytes) -> ApiKey | None:
    wanted = (auth_api_keys.c.key_hash == key_hash) & auth_api_keys.c.revoked_at.is_(None)
    row = connection.execute(select(auth_api_keys.c.key_hash, *_COLUMNS).where(wanted)).first()
    if row is None or not hmac.compare_digest(bytes(row[0]), key_hash):
        return None
    return ApiKey(*row[1:])

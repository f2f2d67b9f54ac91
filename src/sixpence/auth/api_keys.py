"""API keys: a server sends one as `Authorization: Bearer` to act for every account.

A key is shown once, when it is created, and stored as its SHA-256. Not here: the header (`sixpence.http`).
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
# The hint shows four of the 40 characters, so 214 bits stay secret.
HINT_LENGTH = len(PREFIX) + 4

_SHAPE = re.compile(rf"{PREFIX}[A-Za-z0-9]{{{RANDOM_LENGTH}}}")


@dataclass(frozen=True, slots=True)
class ApiKey:
    """An API key without its text; `hint` is the beginning of the text."""

    id: str
    name: str
    hint: str
    created_by: str
    created_at: int
    revoked_at: int | None


@dataclass(frozen=True, slots=True)
class NewApiKey:
    """A new key with its text, which cannot be shown again."""

    key: ApiKey
    text: str = field(repr=False)


_COLUMNS = [auth_api_keys.c[each.name] for each in fields(ApiKey)]


class ApiKeys:
    """Creates, finds, lists and revokes keys. `clock` gives microseconds since 1970 UTC."""

    def __init__(self, database: Database, clock: Callable[[], int]) -> None:
        self._database = database
        self._clock = clock
        # A server sends one key with every request; concurrent requests share a read.
        self._shared_reads = SharedRead(self._read_key)

    async def create_key(self, *, name: str, created_by: str) -> NewApiKey:
        """Creates a key; raises `InvalidInputError` unless the name has 1 to 200 characters."""
        check_name(name)
        check_name(created_by, field="created_by")
        text = PREFIX + tokens.random_token(RANDOM_LENGTH)
        key = ApiKey(
            id=tokens.random_token(tokens.ID_LENGTH),
            name=name,
            hint=text[:HINT_LENGTH],
            created_by=created_by,
            created_at=self._clock(),
            revoked_at=None,
        )
        row = {**asdict(key), "key_hash": tokens.digest(text)}
        await self._database.write(lambda connection: connection.execute(insert(auth_api_keys).values(row)))
        return NewApiKey(key, text)

    def key_hash_of(self, text: str) -> bytes | None:
        """The hash of a key, for a check when a command is decided; None if the text cannot be a key."""
        return tokens.digest(text) if _SHAPE.fullmatch(text) else None

    async def find_key(self, text: str) -> ApiKey | None:
        """Finds the key with this text, unless it was revoked; reads the database after the call, never a cache."""
        if not _SHAPE.fullmatch(text):
            return None
        return await self._shared_reads.get(text)

    async def list_keys(self) -> list[ApiKey]:
        """Lists every key, revoked ones too, newest first."""
        newest_first = select(*_COLUMNS).order_by(auth_api_keys.c.created_at.desc(), auth_api_keys.c.id)
        return await self._database.read(lambda connection: [ApiKey(*row) for row in connection.execute(newest_first)])

    async def revoke(self, key_id: str) -> ApiKey:
        """Revokes a key; a second call keeps the first time. Raises `ApiKeyNotFoundError`."""
        now = self._clock()

        def job(connection: Connection) -> ApiKey:
            is_key = auth_api_keys.c.id == key_id
            connection.execute(
                update(auth_api_keys).where(is_key, auth_api_keys.c.revoked_at.is_(None)).values(revoked_at=now)
            )
            row = connection.execute(select(*_COLUMNS).where(is_key)).first()
            if row is None:
                raise ApiKeyNotFoundError(key_id)
            return ApiKey(*row)

        return await self._database.write(job)

    async def _read_key(self, text: str) -> ApiKey | None:
        return await self._database.read(lambda connection: _find_live_key(connection, tokens.digest(text)))


def _find_live_key(connection: Connection, key_hash: bytes) -> ApiKey | None:
    wanted = (auth_api_keys.c.key_hash == key_hash) & auth_api_keys.c.revoked_at.is_(None)
    row = connection.execute(select(auth_api_keys.c.key_hash, *_COLUMNS).where(wanted)).first()
    if row is None or not hmac.compare_digest(bytes(row[0]), key_hash):
        return None
    return ApiKey(*row[1:])

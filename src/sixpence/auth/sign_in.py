"""`EmbeddedSignIn`: signing up, in and out, and finding out who is signed in.

Not here: HTTP and cookies' attributes (`sixpence.http`), users made by an operator (`users`), API keys (`api_keys`).
"""

from collections.abc import Callable

from sqlalchemy import Connection

from sixpence.auth import session, throttle, tokens, user
from sixpence.auth.client import NOBODY, Client
from sixpence.auth.database import Database
from sixpence.auth.errors import WrongPasswordError
from sixpence.auth.passwords import Passwords, check_password
from sixpence.auth.session import Session, SignedIn
from sixpence.auth.users import Users
from sixpence.core.errors import InvalidInputError
from sixpence.core.values.instant import SECOND

SECRET_LENGTH_MIN = 32
CLEANING_EVERY = 3600 * SECOND


class EmbeddedSignIn:
    """Signs people in by e-mail and password.

    `secret`, 32 characters or more, signs cookies: changing it ends every session. `clock` gives microseconds since
    1970 UTC. `passwords` may be shared with others in the process that hash, so that the bound on hashing is one.
    """

    def __init__(
        self, database: Database, secret: str, clock: Callable[[], int], passwords: Passwords | None = None
    ) -> None:
        if len(secret) < SECRET_LENGTH_MIN:
            problem = f"has {len(secret)} characters. Set at least {SECRET_LENGTH_MIN} random ones."
            raise InvalidInputError("secret", problem)
        self._database = database
        self._secret = secret
        self._clock = clock
        self._passwords = passwords or Passwords()
        self.users = Users(database, self._passwords, clock)
        self._cleaned_at = 0

    async def sign_up(
        self, *, email: str, name: str, password: str, remember: bool = True, client: Client = NOBODY
    ) -> SignedIn:
        """Make a user and sign them in; raises as `Users.create_user` does."""
        new, password_hash = await self.users.prepare_user(email=email, name=name, password=password, role="user")
        now = self._clock()

        def job(connection: Connection) -> SignedIn:
            user.insert_user(connection, new, password_hash)
            throttle.record_sign_in(connection, new.email, new.id, client, now=now)
            return self._begin(connection, new, remember=remember, client=client, now=now)

        return await self._database.write(job)

    async def sign_in(self, *, email: str, password: str, remember: bool = True, client: Client = NOBODY) -> SignedIn:
        """Begin a session.

        Raises `WrongPasswordError` (an unknown e-mail, too), `TooManySignInsError`, `PasswordTooLongError` and
        `InvalidInputError`; `QueueFullError` when too many passwords are waiting, and then no attempt is counted.
        """
        email = user.check_email(email)
        check_password(password)
        with self._passwords.place():
            attempt_id, password_hash = await self._reserve(email, client)
            genuine = await self._passwords.verify(password, password_hash)
        if not genuine or password_hash is None:
            raise WrongPasswordError()
        now = self._clock()

        def job(connection: Connection) -> SignedIn:
            # The password may have been changed while the old one was being verified.
            found = user.lock_user(connection, email, password_hash)
            if found is None:
                raise WrongPasswordError()
            throttle.accept_attempt(connection, attempt_id, found.id)
            return self._begin(connection, found, remember=remember, client=client, now=now)

        return await self._database.write(job)

    async def sign_out(self, token: str) -> None:
        """End the session of this token, if there is one."""
        await self._database.write(lambda connection: session.remove_session_by_token(connection, token))

    async def find_session(self, token: str) -> SignedIn | None:
        """Who is signed in by this token now; None when its session has ended or never was."""
        now = self._clock()
        return await self._database.read(lambda connection: session.find_signed_in(connection, token, now=now))

    async def list_sessions(self, user_id: str) -> list[Session]:
        """The user's sessions that have not ended, newest first."""
        now = self._clock()
        return await self._database.read(lambda connection: session.list_sessions(connection, user_id, now=now))

    async def revoke_session(self, *, user_id: str, session_id: str) -> bool:
        """End one session of a user; False when the user has no such session."""
        return await self._database.write(
            lambda connection: session.remove_session(connection, user_id=user_id, session_id=session_id)
        )

    async def revoke_sessions(self, user_id: str) -> int:
        """End every session of a user; gives how many there were."""
        return await self._database.write(lambda connection: session.remove_sessions(connection, user_id))

    def signed(self, value: str) -> str:
        """A token, or another value, as it stands in a cookie."""
        return tokens.signed(self._secret, value)

    def find_signed(self, text: str) -> str | None:
        """The value of a cookie, or None when its signature is wrong; nothing is asked of the database."""
        return tokens.find_signed(self._secret, text)

    async def _reserve(self, email: str, client: Client) -> tuple[int, str | None]:
        now = self._clock()

        def job(connection: Connection) -> tuple[int, str | None]:
            attempt_id = throttle.reserve_attempt(connection, email, client, now=now)
            return attempt_id, user.find_password_hash(connection, email)

        return await self._database.write(job)

    def _begin(self, connection: Connection, who: user.User, *, remember: bool, client: Client, now: int) -> SignedIn:
        if now >= self._cleaned_at + CLEANING_EVERY:
            self._cleaned_at = now
            session.remove_expired_sessions(connection, now=now)
            throttle.remove_old_sign_ins(connection, now=now)
        return session.begin_session(connection, who, remember=remember, client=client, now=now)

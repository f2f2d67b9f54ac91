"""`EmbeddedSignIn`: sign-up, sign-in, sign-out, and finding the signed-in user.

Not here: HTTP and cookies' attributes (`sixpence.http`), users made by an operator (`users`), API keys (`api_keys`).
"""

from collections.abc import Callable

from sqlalchemy import Connection

from sixpence.auth import session, throttle, tokens, user
from sixpence.auth.client import UNKNOWN_CLIENT, Client
from sixpence.auth.database import Database
from sixpence.auth.errors import WrongPasswordError
from sixpence.auth.passwords import Passwords, check_password
from sixpence.auth.session import Session, SignedIn
from sixpence.auth.users import Users
from sixpence.core.errors import InvalidInputError
from sixpence.core.values.instant import SECOND

SECRET_LENGTH_MIN = 32
CLEANUP_INTERVAL = 3600 * SECOND


class EmbeddedSignIn:
    """Signs people in by e-mail and password.

    `secret`, 32 characters or more, signs cookies; changing it ends every session. `clock` gives microseconds since
    1970 UTC. Share `passwords` with everything in the process that hashes, so that one limit holds for all.
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
        self._last_cleanup_at = 0

    async def sign_up(
        self, *, email: str, name: str, password: str, remember: bool = True, client: Client = UNKNOWN_CLIENT
    ) -> SignedIn:
        """Creates a user and begins a session; raises what `Users.create_user` raises."""
        new, password_hash = await self.users.prepare_user(email=email, name=name, password=password, role="user")
        now = self._clock()

        def job(connection: Connection) -> SignedIn:
            user.insert_user(connection, new, password_hash)
            throttle.record_sign_in(connection, new.email, new.id, client, now=now)
            return self._begin_session(connection, new, remember=remember, client=client, now=now)

        return await self._database.write(job)

    async def sign_in(
        self, *, email: str, password: str, remember: bool = True, client: Client = UNKNOWN_CLIENT
    ) -> SignedIn:
        """Begins a session.

        Raises `WrongPasswordError` (also for an unknown e-mail), `TooManySignInsError`, `PasswordTooLongError` and
        `InvalidInputError`; `QueueFullError` if too many passwords are queued, and then no attempt is counted.
        """
        email = user.check_email(email)
        check_password(password)
        with self._passwords.queue_slot():
            attempt_id, password_hash = await self._reserve_attempt(email, client)
            is_valid = await self._passwords.verify(password, password_hash)
        if not is_valid or password_hash is None:
            raise WrongPasswordError()
        now = self._clock()

        def job(connection: Connection) -> SignedIn:
            # The password may have changed during the verification.
            found = user.lock_user(connection, email, password_hash)
            if found is None:
                raise WrongPasswordError()
            throttle.accept_attempt(connection, attempt_id, found.id)
            return self._begin_session(connection, found, remember=remember, client=client, now=now)

        return await self._database.write(job)

    async def sign_out(self, token: str) -> None:
        """Ends the session of this token, if there is one."""
        await self._database.write(lambda connection: session.remove_session_by_token(connection, token))

    async def find_session(self, token: str) -> SignedIn | None:
        """Finds the session of this token and its user; None if the session has ended or is unknown."""
        now = self._clock()
        return await self._database.read(lambda connection: session.find_signed_in(connection, token, now=now))

    async def list_sessions(self, user_id: str) -> list[Session]:
        """Lists the user's sessions that have not ended, newest first."""
        now = self._clock()
        return await self._database.read(lambda connection: session.list_sessions(connection, user_id, now=now))

    async def revoke_session(self, *, user_id: str, session_id: str) -> bool:
        """Ends one session of a user; False if the user has no such session."""
        return await self._database.write(
            lambda connection: session.remove_session(connection, user_id=user_id, session_id=session_id)
        )

    async def revoke_sessions(self, user_id: str) -> int:
        """Ends every session of a user and returns their number."""
        return await self._database.write(lambda connection: session.remove_sessions(connection, user_id))

    def sign(self, value: str) -> str:
        """Signs a token or another value for a cookie."""
        return tokens.sign(self._secret, value)

    def find_signed(self, text: str) -> str | None:
        """Finds the value in a cookie; None if its signature is wrong. Does not use the database."""
        return tokens.find_signed(self._secret, text)

    async def _reserve_attempt(self, email: str, client: Client) -> tuple[int, str | None]:
        now = self._clock()

        def job(connection: Connection) -> tuple[int, str | None]:
            attempt_id = throttle.reserve_attempt(connection, email, client, now=now)
            return attempt_id, user.find_password_hash(connection, email)

        return await self._database.write(job)

    def _begin_session(
        self, connection: Connection, owner: user.User, *, remember: bool, client: Client, now: int
    ) -> SignedIn:
        if now >= self._last_cleanup_at + CLEANUP_INTERVAL:
            self._last_cleanup_at = now
            session.remove_expired_sessions(connection, now=now)
            throttle.remove_old_sign_ins(connection, now=now)
        return session.begin_session(connection, owner, remember=remember, client=client, now=now)

"""`Users`: creating and changing users, for operators and for the sign-in.

Not here: sessions (`sign_in`), and the rows (`user`).
"""

from collections.abc import Callable

from sqlalchemy import Connection

from sixpence.auth import session, tokens, user
from sixpence.auth.database import Database
from sixpence.auth.errors import UserNotFoundError
from sixpence.auth.passwords import Passwords, check_new_password
from sixpence.auth.user import Role, User


class Users:
    """The people who can sign in. `clock` gives microseconds since 1970 UTC."""

    def __init__(self, database: Database, passwords: Passwords, clock: Callable[[], int]) -> None:
        self._database = database
        self._passwords = passwords
        self._clock = clock

    async def create_user(self, *, email: str, name: str, password: str, role: Role = "user") -> User:
        """Creates a user without a session.

        Raises `EmailTakenError`, `PasswordTooShortError`, `PasswordTooLongError` and `InvalidInputError`.
        """
        new, password_hash = await self.prepare_user(email=email, name=name, password=password, role=role)
        await self._database.write(lambda connection: user.insert_user(connection, new, password_hash))
        return new

    async def prepare_user(self, *, email: str, name: str, password: str, role: Role) -> tuple[User, str]:
        """Checks a new user and hashes the password, without storing them; raises what `create_user` raises."""
        email, name = user.check_email(email), user.check_name(name)
        check_new_password(password)
        with self._passwords.queue_slot():
            password_hash = await self._passwords.hash(password)
        now = self._clock()
        new = User(
            id=tokens.random_token(tokens.ID_LENGTH),
            email=email,
            name=name,
            email_verified=False,
            image=None,
            role=role,
            created_at=now,
            updated_at=now,
        )
        return new, password_hash

    async def set_password(self, *, email: str, password: str) -> User:
        """Sets a user's password and ends all sessions; raises `UserNotFoundError`, too."""
        email = user.check_email(email)
        check_new_password(password)
        with self._passwords.queue_slot():
            password_hash = await self._passwords.hash(password)
        now = self._clock()

        def job(connection: Connection) -> User:
            found = user.find_user_by_email(connection, email)
            if found is None:
                raise UserNotFoundError(email)
            user.update_password(connection, found.id, password_hash, now=now)
            session.remove_sessions(connection, found.id)
            return found

        return await self._database.write(job)

    async def find_user(self, user_id: str) -> User | None:
        """Finds the user with this id."""
        return await self._database.read(lambda connection: user.find_user(connection, user_id))

    async def find_user_by_email(self, email: str) -> User | None:
        """Finds the user with this e-mail, in upper or lower case."""
        lowered = email.lower()
        return await self._database.read(lambda connection: user.find_user_by_email(connection, lowered))

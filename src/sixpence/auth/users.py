"""`Users`: making and changing users, for operators and for the sign-in itself.

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
        """Make a user who is not signed in.

        Raises `EmailTakenError`, `PasswordTooShortError`, `PasswordTooLongError` and `InvalidInputError`.
        """
        made, password_hash = await self.prepare_user(email=email, name=name, password=password, role=role)
        await self._database.write(lambda connection: user.insert_user(connection, made, password_hash))
        return made

    async def prepare_user(self, *, email: str, name: str, password: str, role: Role) -> tuple[User, str]:
        """A checked user and the password's hash, not stored yet; raises as `create_user` does."""
        email, name = user.check_email(email), user.check_name(name)
        check_new_password(password)
        with self._passwords.place():
            password_hash = await self._passwords.hash(password)
        now = self._clock()
        made = User(
            id=tokens.random_word(tokens.ID_LENGTH),
            email=email,
            name=name,
            email_verified=False,
            image=None,
            role=role,
            created_at=now,
            updated_at=now,
        )
        return made, password_hash

    async def set_password(self, *, email: str, password: str) -> User:
        """Give the user of this e-mail another password and end all sessions; raises `UserNotFoundError`, too."""
        email = user.check_email(email)
        check_new_password(password)
        with self._passwords.place():
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
        """The user with this id."""
        return await self._database.read(lambda connection: user.find_user(connection, user_id))

    async def find_user_by_email(self, email: str) -> User | None:
        """The user with this e-mail, in whichever case it is written."""
        lowered = email.lower()
        return await self._database.read(lambda connection: user.find_user_by_email(connection, lowered))

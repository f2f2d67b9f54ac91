"""A user of the embedded sign-in: the record, the rules for e-mail and name, and the row in a transaction.

Not here: sessions (`session`), and the password's rules (`passwords`).
"""

import re
import unicodedata
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

from sqlalchemy import Connection, Row, insert, select, update
from sqlalchemy.exc import IntegrityError

from sixpence.auth.errors import EmailTakenError
from sixpence.core.errors import InvalidInputError
from sixpence.ledger.database.tables import auth_users

EMAIL_LENGTH_MAX = 254
NAME_LENGTH_MAX = 200

Role = Literal["user", "admin"]

# Simple on purpose: it cannot prove that mail arrives. Quoted and non-ASCII mailboxes are refused.
_WORD = r"[a-z0-9_%+&'*/=?^{|}~!#$-]+"
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_EMAIL = re.compile(rf"{_WORD}(?:\.{_WORD})*@(?:{_LABEL}\.)+(?:[a-z]{{2,63}}|xn--[a-z0-9-]{{1,59}})")


@dataclass(frozen=True, slots=True)
class User:
    """A person who can sign in; an `admin` is an operator. The id is also the credit account's id."""

    id: str
    email: str
    name: str
    email_verified: bool
    image: str | None
    role: Role
    created_at: int
    updated_at: int


COLUMNS = [auth_users.c[field.name] for field in fields(User)]


def check_email(email: str) -> str:
    """The e-mail in lower case; raises `InvalidInputError`."""
    lowered = email.lower()
    if not email.isascii() or len(email) > EMAIL_LENGTH_MAX or not _EMAIL.fullmatch(lowered):
        raise InvalidInputError("email", "Invalid email address. Send one like ada@example.com.")
    return lowered


def check_name(name: str, *, field: str = "name") -> str:
    """The name if it is readable and has 1 to 200 characters; raises `InvalidInputError`."""
    # Control characters, line ends and lone surrogates; not the joiners that many scripts need.
    is_unreadable = any(unicodedata.category(letter) in ("Cc", "Cs", "Zl", "Zp") for letter in name)
    if not name.strip() or len(name) > NAME_LENGTH_MAX or is_unreadable:
        raise InvalidInputError(field, f"Invalid name. Send 1 to {NAME_LENGTH_MAX} characters, no control characters.")
    return name


def insert_user(connection: Connection, user: User, password_hash: str) -> None:
    """Inserts a user; raises `EmailTakenError`, which rolls back the transaction."""
    try:
        connection.execute(insert(auth_users).values(**asdict(user), password_hash=password_hash))
    except IntegrityError:
        # Without its cause: the cause's text has the password's hash.
        raise EmailTakenError from None


def find_user(connection: Connection, user_id: str) -> User | None:
    """Finds the user with this id."""
    row = connection.execute(select(*COLUMNS).where(auth_users.c.id == user_id)).first()
    return None if row is None else from_row(row)


def find_user_by_email(connection: Connection, email: str) -> User | None:
    """Finds the user with this e-mail, which is in lower case."""
    row = connection.execute(select(*COLUMNS).where(auth_users.c.email == email)).first()
    return None if row is None else from_row(row)


def find_password_hash(connection: Connection, email: str) -> str | None:
    """Finds the stored password hash of the user with this e-mail."""
    return connection.execute(select(auth_users.c.password_hash).where(auth_users.c.email == email)).scalar()


def lock_user(connection: Connection, email: str, password_hash: str) -> User | None:
    """Locks the user with this e-mail until the transaction ends; None if the password hash has changed."""
    wanted = (auth_users.c.email == email) & (auth_users.c.password_hash == password_hash)
    row = connection.execute(select(*COLUMNS).where(wanted).with_for_update()).first()
    return None if row is None else from_row(row)


def update_password(connection: Connection, user_id: str, password_hash: str, *, now: int) -> None:
    """Replaces a user's password hash."""
    changed = {"password_hash": password_hash, "updated_at": now}
    connection.execute(update(auth_users).where(auth_users.c.id == user_id).values(changed))


def from_row(row: Row[Any]) -> User:
    """The user in a row that ends with `COLUMNS`."""
    return User(*row[-len(COLUMNS) :])

"""The people of the demo: a customer and an operator, who get new passwords at each start."""

import secrets

import msgspec
from sqlalchemy import Connection, delete

from sixpence.auth.user import Role
from sixpence.cli.terminal.errors import CommandRefusedError
from sixpence.ledger.database.tables import auth_sign_ins
from sixpence.settings import Settings
from sixpence.wiring import Sixpence, wire

# Only characters that nobody confuses when typing from a screen. Twelve of them have 59 bits.
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"


class Person(msgspec.Struct, frozen=True):
    """A user of the demo, with the password of this start."""

    email: str
    name: str
    role: Role
    password: str


async def prepare_people(settings: Settings) -> list[Person]:
    """Create the two people, or give the existing ones new passwords, which ends their sessions."""
    parts = wire(settings)
    try:
        return [
            await _prepare_person(parts, "ada@example.com", "Ada", "user"),
            await _prepare_person(parts, "grace@example.com", "Grace", "admin"),
        ]
    finally:
        await parts.credits.close()


async def _prepare_person(parts: Sixpence, email: str, name: str, role: Role) -> Person:
    password = "-".join("".join(secrets.choice(_LETTERS) for _ in range(4)) for _ in range(3))
    user = await parts.users.find_user_by_email(email)
    if user is None:
        user = await parts.users.create_user(email=email, name=name, password=password, role=role)
    elif user.role != role:
        problem = f"SIXPENCE_HOME: the database in {parts.settings.home} has another user {email}, not the demo's."
        raise CommandRefusedError(f"{problem} Set it to another folder.")
    else:
        await parts.users.set_password(email=email, password=password)
    await parts.credits.initialize_user_credits(user.id, idempotency_key=f"signup:{user.id}")
    await parts.ledger.write(lambda connection: _forget_sign_ins(connection, email))
    return Person(email=email, name=name, role=role, password=password)


def _forget_sign_ins(connection: Connection, email: str) -> None:
    # Too many tries with an earlier password must not delay a sign-in with the new one.
    connection.execute(delete(auth_sign_ins).where(auth_sign_ins.c.email == email))

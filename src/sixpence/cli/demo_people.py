"""The people of the demo: a customer and an operator who can sign in with passwords made at each start."""

import secrets

import msgspec
from sqlalchemy import Connection, delete

from sixpence.auth.user import Role
from sixpence.cli.terminal.errors import CommandRefusedError
from sixpence.ledger.database.tables import auth_sign_ins
from sixpence.settings import Settings
from sixpence.wiring import Sixpence, wire

# Nothing that is mistaken for something else when it is typed from a screen: 59 bits.
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"


class Person(msgspec.Struct, frozen=True):
    """Somebody who can sign in now."""

    email: str
    name: str
    role: Role
    password: str


async def welcome_people(settings: Settings) -> list[Person]:
    """Make the two people, or give those who are there new passwords, which ends the sessions they had."""
    parts = wire(settings)
    try:
        return [
            await _ready(parts, "ada@example.com", "Ada", "user"),
            await _ready(parts, "grace@example.com", "Grace", "admin"),
        ]
    finally:
        await parts.credits.close()


async def _ready(parts: Sixpence, email: str, name: str, role: Role) -> Person:
    password = "-".join("".join(secrets.choice(_LETTERS) for _ in range(4)) for _ in range(3))
    user = await parts.users.find_user_by_email(email)
    if user is None:
        user = await parts.users.create_user(email=email, name=name, password=password, role=role)
    elif user.role != role:
        problem = f"home: {parts.settings.home} holds a user {email} who is not the demo's."
        raise CommandRefusedError(f"{problem} Name another folder with SIXPENCE_HOME.")
    else:
        await parts.users.set_password(email=email, password=password)
    await parts.credits.initialize_user_credits(user.id, idempotency_key=f"signup:{user.id}")
    await parts.ledger.write(lambda connection: _forget_sign_ins(connection, email))
    return Person(email=email, name=name, role=role, password=password)


def _forget_sign_ins(connection: Connection, email: str) -> None:
    # Whoever tried the passwords of an earlier start too often must not be kept waiting with the new one.
    connection.execute(delete(auth_sign_ins).where(auth_sign_ins.c.email == email))

"""The errors of sign-in and API keys. Each carries its data. A branch of `CreditSystemError`:

    CreditSystemError
    └── AuthError
        ├── EmailTakenError
        ├── WrongPasswordError       also for an unknown e-mail, so that a caller cannot find out which e-mails exist
        ├── PasswordTooShortError
        ├── PasswordTooLongError
        ├── TooManySignInsError
        ├── UserNotFoundError
        └── ApiKeyNotFoundError

An invalid field is the core's `InvalidInputError`. Not here: HTTP statuses (`sixpence.http.wire.problems`).
"""

from dataclasses import dataclass
from typing import ClassVar

from sixpence.core.errors import CreditSystemError


@dataclass(unsafe_hash=True)
class AuthError(CreditSystemError):
    """A sign-in, a user or an API key was refused."""

    code: ClassVar[str] = "auth-error"
    title: ClassVar[str] = "The sign-in refused this"


@dataclass(unsafe_hash=True)
class EmailTakenError(AuthError):
    """Another user has this e-mail."""

    code: ClassVar[str] = "email-taken"
    title: ClassVar[str] = "The e-mail is taken"

    def __str__(self) -> str:
        return "User already exists. Use another email."


@dataclass(unsafe_hash=True)
class WrongPasswordError(AuthError):
    """No user has this e-mail with this password."""

    code: ClassVar[str] = "wrong-email-or-password"
    title: ClassVar[str] = "Wrong e-mail or password"

    def __str__(self) -> str:
        return "Invalid email or password"


@dataclass(unsafe_hash=True)
class PasswordTooShortError(AuthError):
    """The password has fewer than `length_min` characters."""

    code: ClassVar[str] = "password-too-short"
    title: ClassVar[str] = "The password is too short"
    length_min: int

    def __str__(self) -> str:
        return f"Password too short. Send at least {self.length_min} characters."


@dataclass(unsafe_hash=True)
class PasswordTooLongError(AuthError):
    """The password has more than `length_max` characters."""

    code: ClassVar[str] = "password-too-long"
    title: ClassVar[str] = "The password is too long"
    length_max: int

    def __str__(self) -> str:
        return f"Password too long. Send at most {self.length_max} characters."


@dataclass(unsafe_hash=True)
class TooManySignInsError(AuthError):
    """Too many sign-ins failed for one e-mail; the next is possible after `retry_after_seconds`."""

    code: ClassVar[str] = "too-many-sign-ins"
    title: ClassVar[str] = "Too many failed sign-ins"
    retry_after_seconds: int

    def __str__(self) -> str:
        return f"Too many failed sign-ins for this e-mail. Try again in {self.retry_after_seconds} s."


@dataclass(unsafe_hash=True)
class UserNotFoundError(AuthError):
    """There is no such user."""

    code: ClassVar[str] = "user-not-found"
    title: ClassVar[str] = "No such user"
    email: str

    def __str__(self) -> str:
        return f"There is no user '{self.email}'. Make one with sixpence user create."


@dataclass(unsafe_hash=True)
class ApiKeyNotFoundError(AuthError):
    """There is no API key with this id."""

    code: ClassVar[str] = "api-key-not-found"
    title: ClassVar[str] = "No such API key"
    key_id: str

    def __str__(self) -> str:
        return f"There is no API key '{self.key_id}'. Take the id from the list of keys."

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

from sixpence.core.errors import CreditSystemError


class AuthError(CreditSystemError, code="auth-error", title="The sign-in refused this"):
    """A sign-in, a user or an API key was refused."""


class EmailTakenError(AuthError, code="email-taken", title="The e-mail is taken"):
    """Another user has this e-mail."""

    message = "User already exists. Use another email."


class WrongPasswordError(AuthError, code="wrong-email-or-password", title="Wrong e-mail or password"):
    """No user has this e-mail with this password."""

    message = "Invalid email or password"


class PasswordTooShortError(AuthError, code="password-too-short", title="The password is too short"):
    """The password has fewer than `length_min` characters."""

    length_min: int
    message = "Password too short. Send at least {length_min} characters."


class PasswordTooLongError(AuthError, code="password-too-long", title="The password is too long"):
    """The password has more than `length_max` characters."""

    length_max: int
    message = "Password too long. Send at most {length_max} characters."


class TooManySignInsError(AuthError, code="too-many-sign-ins", title="Too many failed sign-ins"):
    """Too many sign-ins failed for one e-mail; the next is possible after `retry_after_seconds`."""

    retry_after_seconds: int
    message = "Too many failed sign-ins for this e-mail. Try again in {retry_after_seconds} s."


class UserNotFoundError(AuthError, code="user-not-found", title="No such user"):
    """There is no such user."""

    email: str
    message = "There is no user '{email}'. Make one with sixpence user create."


class ApiKeyNotFoundError(AuthError, code="api-key-not-found", title="No such API key"):
    """There is no API key with this id."""

    key_id: str
    message = "There is no API key '{key_id}'. Take the id from the list of keys."

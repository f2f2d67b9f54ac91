"""The errors of HTTP itself: refused callers and unreadable bodies.

CallerError
├── NotSignedInError           401
├── InvalidApiKeyError         401
├── ForbiddenError             403
├── MalformedBodyError         400
├── BodyTooLargeError          413
└── UnsupportedMediaTypeError  415
"""

from collections.abc import Mapping
from typing import Any, ClassVar


class CallerError(Exception):
    """A request that is refused before it reaches the service."""

    status: ClassVar[int] = 400
    code: ClassVar[str] = "bad-request"
    title: ClassVar[str] = "The request cannot be served"
    headers: ClassVar[Mapping[str, str]] = {}

    def __init__(self, detail: str, **facts: Any) -> None:
        super().__init__(detail)
        self.detail = detail
        self.facts = facts


class NotSignedInError(CallerError):
    """No session, or an ended one."""

    status = 401
    code = "not-signed-in"
    title = "Not signed in"


class InvalidApiKeyError(CallerError):
    """No API key, or an unknown or revoked one."""

    status = 401
    code = "invalid-api-key"
    title = "No valid API key"
    headers: ClassVar[Mapping[str, str]] = {"WWW-Authenticate": "Bearer"}


class ForbiddenError(CallerError):
    """The caller is known and not allowed."""

    status = 403
    code = "forbidden"
    title = "Not allowed"


class MalformedBodyError(CallerError):
    """A body that is not a JSON object; the fact `field` names the place."""

    code = "malformed-body"
    title = "The body cannot be read"


class BodyTooLargeError(CallerError):
    """A body over the limit."""

    status = 413
    code = "body-too-large"
    title = "The body is too large"


class UnsupportedMediaTypeError(CallerError):
    """A body with a content type that is not accepted."""

    status = 415
    code = "unsupported-media-type"
    title = "The body is of another type"

"""What makes two requests one: the fingerprint of method, path, query and body, taken while the body is read.

Taken from what the server hands over, so that it is the same whether the endpoint gets the body parsed, as a form, as
bytes, or as a stream that can be read once.
"""

import hashlib

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import Message, Scope

from sixpence.http.wire.bodies import KEY_HEADER


class RequestFingerprint:
    """A SHA-256 that grows with the body; only a request with an idempotency key has one."""

    def __init__(self, scope: Scope) -> None:
        self._digest = hashlib.sha256() if KEY_HEADER in Headers(scope=scope) else None
        self._whole = False
        for part in (scope["method"].encode(), scope["path"].encode("utf-8", "surrogatepass"), scope["query_string"]):
            # With its length before it no part can pass for the end of another.
            self._add(b"%d:%b" % (len(part), part))

    def add(self, message: Message) -> None:
        """Take in what the server sent of the body."""
        if message["type"] == "http.request" and not self._whole:
            self._add(message.get("body", b""))
            self._whole = not message.get("more_body", False)

    async def of(self, request: Request) -> str:
        """The fingerprint in hexadecimal digits; what nobody has read of the body is read, and kept in the request."""
        if not self._whole:
            await request.body()
        if self._digest is None or not self._whole:
            raise RuntimeError("this request's body did not come from the server, so its key cannot be checked")
        return self._digest.hexdigest()

    def _add(self, part: bytes) -> None:
        if self._digest is not None:
            self._digest.update(part)

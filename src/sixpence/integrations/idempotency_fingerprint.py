"""The fingerprint by which a retry is recognized: method, path, query and body, hashed while the body is read.

It hashes the server's messages, so it is the same whether the endpoint gets the body parsed, as a form, as bytes, or as
a stream that can be read once. Not here: fingerprints of commands (`sixpence.service.requests`).
"""

import hashlib

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import Message, Scope

from sixpence.http.wire.bodies import KEY_HEADER


class IdempotencyFingerprint:
    """A SHA-256 that is updated with each part of the body; only a request with an idempotency key has one."""

    def __init__(self, scope: Scope) -> None:
        self._digest = hashlib.sha256() if KEY_HEADER in Headers(scope=scope) else None
        self._complete = False
        for part in (scope["method"].encode(), scope["path"].encode("utf-8", "surrogatepass"), scope["query_string"]):
            # Each part has its length before it, so the parts cannot be split in another way.
            self._add(b"%d:%b" % (len(part), part))

    def add(self, message: Message) -> None:
        """Adds a message's part of the body."""
        if message["type"] == "http.request" and not self._complete:
            self._add(message.get("body", b""))
            self._complete = not message.get("more_body", False)

    async def compute(self, request: Request) -> str:
        """The fingerprint in hexadecimal digits. Reads the rest of the body first, which stays in the request."""
        if not self._complete:
            await request.body()
        if self._digest is None or not self._complete:
            raise RuntimeError("this request's body did not come from the server, so its key cannot be checked")
        return self._digest.hexdigest()

    def _add(self, part: bytes) -> None:
        if self._digest is not None:
            self._digest.update(part)

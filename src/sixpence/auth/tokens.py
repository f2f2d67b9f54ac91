"""Random tokens: making them, hashing them for storage, signing them for a cookie.

The cookie's value is Better Auth's: encodeURIComponent(token + "." + base64(HMAC-SHA-256(secret, token))).
Not here: passwords, which people choose and which need a slow hash (`passwords`).
"""

import base64
import hashlib
import hmac
import secrets
import string
from urllib.parse import quote, unquote

TOKEN_LENGTH = 32
ID_LENGTH = 32

_LETTERS = string.ascii_letters + string.digits
# encodeURIComponent does not escape these, nor letters, digits and what Python's quote never escapes.
_UNESCAPED = "!~*'()"


def random_token(length: int) -> str:
    """Random letters and digits from the system, just under six bits each."""
    return "".join(secrets.choice(_LETTERS) for _ in range(length))


def digest(token: str) -> bytes:
    """The SHA-256 of a token, which is stored instead of it."""
    return hashlib.sha256(token.encode()).digest()


def sign(secret: str, value: str) -> str:
    """The value with its signature, escaped for a cookie."""
    return quote(f"{value}.{_signature(secret, value)}", safe=_UNESCAPED)


def find_signed(secret: str, text: str) -> str | None:
    """Finds the value that `sign` signed; None if the text has another form or the signature is wrong."""
    # unquote_plus would turn the + of base64 into a space.
    value, point, signature = unquote(text).rpartition(".")
    if not point or not value:
        return None
    is_valid = hmac.compare_digest(signature.encode(), _signature(secret, value).encode())
    return value if is_valid else None


def _signature(secret: str, value: str) -> str:
    return base64.b64encode(hmac.digest(secret.encode(), value.encode(), "sha256")).decode()

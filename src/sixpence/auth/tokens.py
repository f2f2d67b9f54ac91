"""Random words that sign somebody in: making them, digesting them for storage, signing them for a cookie.

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
# What encodeURIComponent leaves as it is, beside letters, digits and what Python's quote always leaves.
_UNESCAPED = "!~*'()"


def random_word(length: int) -> str:
    """Letters and digits from the system's randomness, just under six bits each."""
    return "".join(secrets.choice(_LETTERS) for _ in range(length))


def digest(token: str) -> bytes:
    """What is stored in place of a token: its SHA-256."""
    return hashlib.sha256(token.encode()).digest()


def signed(secret: str, value: str) -> str:
    """A value with its signature, ready to stand in a cookie."""
    return quote(f"{value}.{_signature(secret, value)}", safe=_UNESCAPED)


def find_signed(secret: str, text: str) -> str | None:
    """The value that `signed` was given, or None when the text is not such a value or the signature is wrong."""
    # unquote_plus would turn the + of base64 into a space.
    value, point, signature = unquote(text).rpartition(".")
    if not point or not value:
        return None
    genuine = hmac.compare_digest(signature.encode(), _signature(secret, value).encode())
    return value if genuine else None


def _signature(secret: str, value: str) -> str:
    return base64.b64encode(hmac.digest(secret.encode(), value.encode(), "sha256")).decode()

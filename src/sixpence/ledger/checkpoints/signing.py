"""Ed25519 (RFC 8032), by PyCA's cryptography: the key that signs checkpoints, and the check of a signature.

The package is an extra and imported at its first use. Not here: what is signed (`sixpence.core.proof.checkpoint`).
"""

import re
import secrets
from pathlib import Path
from typing import Any

from sixpence.core.errors import DatabaseSetupError, InvalidInputError
from sixpence.ledger.checkpoints.key_file import load_or_create_secret

SEED_DIGITS = 64
_SEED = re.compile(rf"[0-9a-f]{{{SEED_DIGITS}}}")
_WANTED = f"Give {SEED_DIGITS} random hexadecimal digits, such as those of: openssl rand -hex 32."


class SigningKey:
    """A private key: 32 random bytes, as 64 hexadecimal digits. Keep them secret: they sign in this ledger's name.

    Raises `InvalidInputError` for other digits, and `DatabaseSetupError` if cryptography is not installed.
    """

    def __init__(self, digits: str) -> None:
        check_digits(digits)
        self._key = _ed25519().Ed25519PrivateKey.from_private_bytes(bytes.fromhex(digits))

    @classmethod
    def kept(cls, file: str | Path) -> "SigningKey":
        """The key in the file; a missing file is created with a new key, readable only by its owner."""
        digits = load_or_create_secret(Path(file), secrets.token_hex(SEED_DIGITS // 2))
        if not _SEED.fullmatch(digits):
            problem = f"'{file}' does not hold {SEED_DIGITS} hexadecimal digits. Restore it from a copy, or remove it:"
            raise InvalidInputError("signing_key", f"{problem} then a new key is made, with another public key.")
        return cls(digits)

    @property
    def public_key(self) -> str:
        """The public key, which checks signatures, as 64 hexadecimal digits."""
        return str(self._key.public_key().public_bytes_raw().hex())

    def sign(self, data: bytes) -> str:
        """The signature over the data, as 128 hexadecimal digits."""
        return str(self._key.sign(data).hex())

    def __repr__(self) -> str:
        return f"<SigningKey with the public key {self.public_key}>"


def check_digits(digits: object) -> None:
    """Raise `InvalidInputError` unless these can be a key; the message does not show them."""
    if not isinstance(digits, str) or not _SEED.fullmatch(digits):
        raise InvalidInputError("signing_key", f"is not {SEED_DIGITS} hexadecimal digits in lower case. {_WANTED}")


def is_signed(public_key: str, signature: str, data: bytes) -> bool:
    """Whether the private key of this public key made the signature over the data."""
    from cryptography.exceptions import InvalidSignature

    try:
        key = _ed25519().Ed25519PublicKey.from_public_bytes(bytes.fromhex(public_key))
        key.verify(bytes.fromhex(signature), data)
    except (InvalidSignature, ValueError):
        return False
    return True


def _ed25519() -> Any:
    try:
        from cryptography.hazmat.primitives.asymmetric import ed25519
    except ImportError:
        raise DatabaseSetupError("Signing needs cryptography.", "Install sixpence[server].") from None
    return ed25519

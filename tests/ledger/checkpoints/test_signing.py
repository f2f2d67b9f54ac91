"""Ed25519: the standard's test vectors, invalid keys, and a key file."""

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sixpence.core.errors import InvalidInputError
from sixpence.ledger.checkpoints.signing import SigningKey, is_signed

# RFC 8032, section 7.1: secret key, public key, message, signature.
VECTORS = [
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
        "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
]
SECRET, PUBLIC, MESSAGE, SIGNATURE = VECTORS[1]


@pytest.mark.parametrize(("secret", "public", "message", "signature"), VECTORS)
def test_it_signs_as_the_standard_does(secret: str, public: str, message: str, signature: str) -> None:
    """The public key and the signature are those of the vector, and the signature holds."""
    key = SigningKey(secret)

    signed = key.sign(bytes.fromhex(message))

    assert (key.public_key, signed) == (public, signature)
    assert is_signed(public, signature, bytes.fromhex(message))


@pytest.mark.parametrize(
    ("public", "signature", "message"),
    [
        (VECTORS[0][1], SIGNATURE, MESSAGE),
        (PUBLIC, VECTORS[0][3], MESSAGE),
        (PUBLIC, SIGNATURE, "73"),
        (PUBLIC, SIGNATURE[:-2], MESSAGE),
        (PUBLIC[:-2], SIGNATURE, MESSAGE),
        ("", "", MESSAGE),
        ("no digits", SIGNATURE, MESSAGE),
        (PUBLIC, "no digits", MESSAGE),
    ],
)
def test_another_signature_does_not_hold(public: str, signature: str, message: str) -> None:
    """A signature of another key, over other bytes, or an invalid one."""
    assert not is_signed(public, signature, bytes.fromhex(message))


@pytest.mark.parametrize("digits", ["", "ab" * 31, "AB" * 32, "g" * 64, "ab" * 32 + "\n", None])
def test_invalid_key_is_refused_and_not_shown(digits: str) -> None:
    """The message describes a valid key, and does not show the given digits."""
    with pytest.raises(InvalidInputError) as refused:
        SigningKey(digits)

    assert refused.value.field == "signing_key"
    assert refused.value.problem == (
        "is not 64 hexadecimal digits in lower case. "
        "Give 64 random hexadecimal digits, such as those of: openssl rand -hex 32."
    )


def test_a_key_does_not_show_itself() -> None:
    """What a log shows of it is the public key."""
    assert repr(SigningKey(SECRET)) == f"<SigningKey with the public key {PUBLIC}>"


def test_a_key_is_made_once_and_kept(tmp_path: Path) -> None:
    """In a file that its owner alone reads, in a folder that is made; the next start has the same one."""
    file = tmp_path / "home" / "signing_key"

    first = SigningKey.kept(file)

    assert SigningKey.kept(file).public_key == SigningKey(file.read_text()).public_key == first.public_key
    assert stat.S_IMODE(os.stat(file).st_mode) == 0o600
    assert SigningKey.kept(tmp_path / "other").public_key != first.public_key
    assert os.listdir(file.parent) == ["signing_key"]


def test_processes_that_start_at_once_share_the_key(tmp_path: Path) -> None:
    """The first one creates it, and no process reads half of it."""
    with ThreadPoolExecutor(16) as threads:
        keys = list(threads.map(lambda _: SigningKey.kept(tmp_path / "signing_key").public_key, range(64)))

    assert len(set(keys)) == 1
    assert os.listdir(tmp_path) == ["signing_key"]


def test_invalid_key_file_is_refused(tmp_path: Path) -> None:
    """An emptied file is not replaced by a new key."""
    file = tmp_path / "signing_key"
    file.write_text("")

    with pytest.raises(InvalidInputError) as refused:
        SigningKey.kept(file)

    assert refused.value.problem == (
        f"'{file}' does not hold 64 hexadecimal digits. Restore it from a copy, or remove it: "
        "then a new key is made, with another public key."
    )

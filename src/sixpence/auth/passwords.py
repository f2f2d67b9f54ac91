"""Passwords: their rules, and hashing and verifying them with argon2id in two threads.

Not here: the limit on attempts (`throttle`), and storing hashes (`user`).
"""

import asyncio
import secrets
import threading
import unicodedata
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

from pwdlib import PasswordHash

from sixpence.auth.errors import PasswordTooLongError, PasswordTooShortError
from sixpence.core.errors import InvalidInputError, QueueFullError

LENGTH_MIN = 8
LENGTH_MAX = 128
# One hash takes 64 MB and some tens of milliseconds of a core.
CONCURRENT_MAX = 2
QUEUED_MAX = 64

T = TypeVar("T")


def check_new_password(password: str) -> str:
    """The password if it has 8 to 128 characters; raises `PasswordTooShortError`, and what `check_password` raises."""
    if len(password) < LENGTH_MIN:
        raise PasswordTooShortError(LENGTH_MIN)
    return check_password(password)


def check_password(password: str) -> str:
    """The password if it can be hashed; raises `PasswordTooLongError` and `InvalidInputError`."""
    if len(password) > LENGTH_MAX:
        raise PasswordTooLongError(LENGTH_MAX)
    try:
        password.encode()
    except UnicodeEncodeError:
        raise InvalidInputError("password", "has half a character (a lone surrogate). Type it again.") from None
    return password


class Passwords:
    """Hashes and verifies passwords for a whole process: two at a time, at most 64 queued."""

    def __init__(self, hasher: PasswordHash | None = None) -> None:
        self._hasher = hasher or PasswordHash.recommended()
        self._threads = ThreadPoolExecutor(CONCURRENT_MAX, thread_name_prefix="sixpence-passwords")
        self._slots = threading.BoundedSemaphore(CONCURRENT_MAX + QUEUED_MAX)
        self._dummy_hash: str | None = None

    @contextmanager
    def queue_slot(self) -> Iterator[None]:
        """Takes a slot in the queue for a `with` block, before anything is recorded; raises `QueueFullError`."""
        if not self._slots.acquire(blocking=False):
            raise QueueFullError()
        try:
            yield
        finally:
            self._slots.release()

    async def hash(self, password: str) -> str:
        """The argon2id hash of a password, with its parameters and salt."""
        return await self._in_thread(lambda: self._hasher.hash(_normalized(password)))

    async def verify(self, password: str, stored: str | None) -> bool:
        """Whether `stored` is this password's hash. None, for an unknown user, takes as long and gives False."""
        same = await self._in_thread(lambda: self._verify(_normalized(password), stored))
        return same and stored is not None

    def _verify(self, password: str, stored: str | None) -> bool:
        dummy_hash = self._get_dummy_hash()
        return self._hasher.verify(password, stored or dummy_hash)

    def _get_dummy_hash(self) -> str:
        # Verifying against the hash of a random password takes as long as against a user's. It is made at the first
        # verification, known user or not, so a program that verifies nothing does not wait for it.
        if self._dummy_hash is None:
            self._dummy_hash = self._hasher.hash(secrets.token_hex())
        return self._dummy_hash

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)


def _normalized(password: str) -> str:
    # Keyboards compose accents in different ways; the password is the same.
    return unicodedata.normalize("NFKC", password)

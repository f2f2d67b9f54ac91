"""Passwords: what is accepted as one, and hashing and verifying them with argon2id in two threads.

Not here: how often one may try (`throttle`), and where hashes are kept (`user`).
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
AT_ONCE_MAX = 2
WAITING_MAX = 64

T = TypeVar("T")


def check_new_password(password: str) -> str:
    """The password if it has 8 to 128 characters; raises `PasswordTooShortError` and as `check_password` does."""
    if len(password) < LENGTH_MIN:
        raise PasswordTooShortError(LENGTH_MIN)
    return check_password(password)


def check_password(password: str) -> str:
    """The password if it can be hashed at all; raises `PasswordTooLongError` and `InvalidInputError`."""
    if len(password) > LENGTH_MAX:
        raise PasswordTooLongError(LENGTH_MAX)
    try:
        password.encode()
    except UnicodeEncodeError:
        raise InvalidInputError("password", "has half a character (a lone surrogate). Type it again.") from None
    return password


class Passwords:
    """Hashes and verifies, at most two at once and 64 waiting, whoever asks in this process."""

    def __init__(self, hasher: PasswordHash | None = None) -> None:
        self._hasher = hasher or PasswordHash.recommended()
        self._threads = ThreadPoolExecutor(AT_ONCE_MAX, thread_name_prefix="sixpence-passwords")
        self._places = threading.BoundedSemaphore(AT_ONCE_MAX + WAITING_MAX)
        self._nobodys: str | None = None

    @contextmanager
    def place(self) -> Iterator[None]:
        """A place in the queue, to be taken before anything is recorded; raises `QueueFullError` when there is none."""
        if not self._places.acquire(blocking=False):
            raise QueueFullError()
        try:
            yield
        finally:
            self._places.release()

    async def hash(self, password: str) -> str:
        """The argon2id hash of a password, with its parameters and salt."""
        return await self._in_thread(lambda: self._hasher.hash(_normal(password)))

    async def verify(self, password: str, stored: str | None) -> bool:
        """Whether this password was hashed so; None, for a user who does not exist, takes as long and is False."""
        same = await self._in_thread(lambda: self._verify(_normal(password), stored))
        return same and stored is not None

    def _verify(self, password: str, stored: str | None) -> bool:
        nobodys = self._nobodys_hash()
        return self._hasher.verify(password, stored or nobodys)

    def _nobodys_hash(self) -> str:
        # Nobody's password: verifying against it takes as long as against anybody's. It is made at the first use,
        # whoever that is for, since a program that verifies nothing need not wait for it.
        if self._nobodys is None:
            self._nobodys = self._hasher.hash(secrets.token_hex())
        return self._nobodys

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)


def _normal(password: str) -> str:
    # One password, whichever way a keyboard composes its accents.
    return unicodedata.normalize("NFKC", password)

"""The gallery: the made pictures as files; each account has a folder, and in it each generation.

    <folder>/<SHA-256 of the account's id>/<generation id>/{before.jpg, after.*, generation.json}

A generation is written to a temporary folder and renamed, so it is complete or absent. It is shown to nobody until it
is paid for. Not here: when it is paid for (order_endpoint.py), and what happens to unpaid ones (sweep.py).
"""

import hashlib
import os
import secrets
import shutil
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Literal

import msgspec

from sixpence_studio.orders.job import Made

GENERATIONS_MAX = 60

Side = Literal["before", "after"]

_RECORD = "generation.json"
# A folder whose name begins with a dot is still being written or removed.
_NEW, _REMOVED = ".new-", ".gone-"


class Generation(msgspec.Struct, frozen=True, kw_only=True):
    """The record of a made picture; `order` is its order's fingerprint, `paid_at` is None before it is paid for."""

    generation_id: str
    account_id: str
    feature: str
    order: str
    media_type: str
    after_name: str
    made_at: datetime
    paid_at: datetime | None = None
    credits_consumed: int | None = None


class Gallery:
    """The pictures below `folder`, which is created at first use and readable by its owner alone. All methods block."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def find(self, account_id: str, generation_id: str) -> Generation | None:
        """Return the account's generation with that id, paid for or not."""
        found = _read(self._place(account_id, generation_id))
        return found if found is not None and found.account_id == account_id else None

    def list_paid(self, account_id: str) -> list[Generation]:
        """List the account's paid generations, newest first."""
        paid = [generation for generation in self._list(account_id) if generation.paid_at is not None]
        return sorted(paid, key=lambda each: (each.paid_at, each.generation_id), reverse=True)

    def list_unpaid(self) -> list[Generation]:
        """List the unpaid generations of all accounts; removes folders that were still being written or removed."""
        unpaid = []
        for place in sorted(self._folder.glob("*/*")):
            if place.name.startswith((_NEW, _REMOVED)):
                shutil.rmtree(place)
                continue
            found = _read(place)
            if found is not None and found.paid_at is None:
                unpaid.append(found)
        return unpaid

    def path(self, generation: Generation, side: Side) -> Path:
        """Return the path of one of its two pictures."""
        name = "before.jpg" if side == "before" else generation.after_name
        return self._place(generation.account_id, generation.generation_id) / name

    def store(self, generation: Generation, made: Made) -> None:
        """Store a new generation, durable when this returns; removes all but the account's newest 60."""
        place = self._place(generation.account_id, generation.generation_id)
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        new = place.with_name(f"{_NEW}{secrets.token_hex(8)}")
        new.mkdir(mode=0o700)
        try:
            _write(new / "before.jpg", made.before)
            _write(new / generation.after_name, made.after)
            _write(new / _RECORD, msgspec.json.encode(generation))
            new.rename(place)
        except BaseException:
            shutil.rmtree(new, ignore_errors=True)
            raise
        _sync_folder(place.parent)
        self._prune(generation.account_id)

    def mark_paid(self, generation: Generation, *, paid_at: datetime, credits_consumed: int) -> Generation:
        """Mark a generation as paid for and return it; from then on its owner sees it."""
        paid = msgspec.structs.replace(generation, paid_at=paid_at, credits_consumed=credits_consumed)
        place = self._place(generation.account_id, generation.generation_id)
        new = place / f"{_RECORD}.new"
        _write(new, msgspec.json.encode(paid))
        new.replace(place / _RECORD)
        return paid

    def remove(self, generation: Generation) -> None:
        """Remove a generation; a missing one is not an error."""
        place = self._place(generation.account_id, generation.generation_id)
        removed = place.with_name(f"{_REMOVED}{secrets.token_hex(8)}")
        try:
            place.rename(removed)
        except FileNotFoundError:
            return
        shutil.rmtree(removed)

    def _place(self, account_id: str, generation_id: str) -> Path:
        # The app chooses the account ids; a hash of one is a valid folder name on every system.
        return self._folder / hashlib.sha256(account_id.encode()).hexdigest() / generation_id

    def _list(self, account_id: str) -> Iterator[Generation]:
        for place in self._place(account_id, "").glob("[!.]*"):
            found = _read(place)
            if found is not None:
                yield found

    def _prune(self, account_id: str) -> None:
        newest_first = sorted(self._list(account_id), key=lambda each: each.made_at, reverse=True)
        for generation in newest_first[GENERATIONS_MAX:]:
            self.remove(generation)


def _read(place: Path) -> Generation | None:
    try:
        return msgspec.json.decode((place / _RECORD).read_bytes(), type=Generation)
    except (FileNotFoundError, NotADirectoryError):
        return None


def _write(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    """Make the names in the folder durable, on systems that can."""
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

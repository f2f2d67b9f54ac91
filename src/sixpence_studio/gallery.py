"""The gallery: what was made, kept as files below one folder, a folder an account and a folder a generation.

    <folder>/<SHA-256 of the account's id>/<generation id>/{before.jpg, after.*, generation.json}

A generation is there whole or not at all: it is written beside its place and renamed into it. Until it is paid for it
is shown to nobody. Not here: when it is paid for (desk.py), and what becomes of leftovers (sweep.py).
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

from sixpence_studio.making import Made

KEPT_MAX = 60

Side = Literal["before", "after"]

_RECORD = "generation.json"
# What begins with a dot is on its way in or out, and nobody's.
_IN, _OUT = ".new-", ".gone-"


class Generation(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a made picture; `order` is its order's fingerprint, `paid_at` None before it is paid."""

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
    """The pictures below `folder`, which is made at first use and readable by its owner alone. All methods block."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def find(self, account_id: str, generation_id: str) -> Generation | None:
        """The account's generation of that id, paid for or not."""
        found = _read(self._place(account_id, generation_id))
        return found if found is not None and found.account_id == account_id else None

    def list_paid(self, account_id: str) -> list[Generation]:
        """What the account has paid for, newest first."""
        kept = [generation for generation in self._list(account_id) if generation.paid_at is not None]
        return sorted(kept, key=lambda each: (each.paid_at, each.generation_id), reverse=True)

    def list_unpaid(self) -> list[Generation]:
        """What nobody is known to have paid for, of all accounts; removes what was on its way in or out."""
        unpaid = []
        for place in sorted(self._folder.glob("*/*")):
            if place.name.startswith((_IN, _OUT)):
                shutil.rmtree(place)
                continue
            found = _read(place)
            if found is not None and found.paid_at is None:
                unpaid.append(found)
        return unpaid

    def path(self, generation: Generation, side: Side) -> Path:
        """The file of one of its two pictures."""
        name = "before.jpg" if side == "before" else generation.after_name
        return self._place(generation.account_id, generation.generation_id) / name

    def keep(self, generation: Generation, made: Made) -> None:
        """Keeps a new generation, on disk when this returns; the account's oldest beyond the last 60 are removed."""
        place = self._place(generation.account_id, generation.generation_id)
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        new = place.with_name(f"{_IN}{secrets.token_hex(8)}")
        new.mkdir(mode=0o700)
        try:
            _write(new / "before.jpg", made.before)
            _write(new / generation.after_name, made.after)
            _write(new / _RECORD, msgspec.json.encode(generation))
            new.rename(place)
        except BaseException:
            shutil.rmtree(new, ignore_errors=True)
            raise
        _settle(place.parent)
        self._prune(generation.account_id)

    def mark_paid(self, generation: Generation, *, paid_at: datetime, credits_consumed: int) -> Generation:
        """The generation as one that is paid for, from now on its owner's to see."""
        paid = msgspec.structs.replace(generation, paid_at=paid_at, credits_consumed=credits_consumed)
        place = self._place(generation.account_id, generation.generation_id)
        new = place / f"{_RECORD}.new"
        _write(new, msgspec.json.encode(paid))
        new.replace(place / _RECORD)
        return paid

    def remove(self, generation: Generation) -> None:
        """Removes a generation; one that is gone already is no error."""
        place = self._place(generation.account_id, generation.generation_id)
        gone = place.with_name(f"{_OUT}{secrets.token_hex(8)}")
        try:
            place.rename(gone)
        except FileNotFoundError:
            return
        shutil.rmtree(gone)

    def _place(self, account_id: str, generation_id: str) -> Path:
        # An account's id is whatever the app chose; its hash is a folder's name on every system.
        return self._folder / hashlib.sha256(account_id.encode()).hexdigest() / generation_id

    def _list(self, account_id: str) -> Iterator[Generation]:
        for place in self._place(account_id, "").glob("[!.]*"):
            found = _read(place)
            if found is not None:
                yield found

    def _prune(self, account_id: str) -> None:
        newest_first = sorted(self._list(account_id), key=lambda each: each.made_at, reverse=True)
        for generation in newest_first[KEPT_MAX:]:
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


def _settle(folder: Path) -> None:
    """Make the names in the folder durable, where a system has that."""
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

"""The ledger's row: its fields and its id. Not here: its hash (`chain`).

A row is immutable. `detail` and `allocations` are stored as the very texts that were hashed, so that proving a ledger
never depends on how a later version would write them.
"""

import hashlib
import re
import struct
from typing import Literal

import msgspec

from sixpence.core.account.fair_use import Mark
from sixpence.core.account.grant import DEFAULT_PRIORITY, Category, CountedIn
from sixpence.core.account.hold import Beyond, HoldTerms
from sixpence.core.account.movement import Allocation
from sixpence.core.account.subscription import Subscription
from sixpence.core.catalog.price import Usage
from sixpence.core.values.stored_document import decoder_of

FIRST_HEAD = bytes(32)
# A UUIDv7 as it is written here; a grant's id may have its place behind it.
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7([0-9a-f]{3})-([89ab][0-9a-f]{3})-([0-9a-f]{4})[0-9a-f]{8}")
_TWO_NUMBERS = struct.Struct(">QQ")

Kind = Literal[
    "signup",
    "ensure",
    "grant",
    "consume",
    "hold",
    "hold_extend",
    "capture",
    "release",
    "hold_expire",
    "refund",
    "void",
    "adjust",
    "plan_change",
    "allowance",
    "rollover",
    "take_effect",
    "expire",
    "freeze",
    "unfreeze",
    "close",
]


class GrantTerms(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """The terms of a grant: what the fold needs to make it again.

    `by_plan` is the plan whose allowance it is, `rolled` says that it was carried over from an earlier term;
    `instead_of` names the ended grant that it replaces, to receive a refund of what that one had paid. `counted_in` is
    the period of the earlier term, or "trial", whose unspent credits a plan change carried over.
    """

    amount: int
    category: Category
    effective_at: int
    expires_at: int | None = None
    priority: int = DEFAULT_PRIORITY
    features: tuple[str, ...] | None = None
    by_plan: str | None = None
    rolled: bool = False
    instead_of: str | None = None
    counted_in: CountedIn | None = None


class Revived(msgspec.Struct, frozen=True, array_like=True):
    """A spent grant that becomes live again, because some of it is refunded."""

    grant_id: str
    terms: GrantTerms


class Detail(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """Typed facts of a row beside its columns: what the fold needs to apply it, and what explains it.

    `about` is the id of the transaction, hold or grant that the row is about; `price` is the list price of `usage`,
    `shortfall` what was requested and not available. `rules` is the version of the rules that decided the row, left out
    where all versions decide it alike. New facts come last: a stored text stays as it is.
    """

    grant: GrantTerms | None = None
    price: int | None = None
    catalog_version: int | None = None
    previous_plan: str | None = None
    actor: str | None = None
    reason: str | None = None
    about: str | None = None
    more_grants: tuple[GrantTerms, ...] = ()
    revived: tuple[Revived, ...] = ()
    usage: Usage | None = None
    shortfall: int | None = None
    refunded: int | None = None
    late: bool = False
    hold: HoldTerms | None = None
    hold_expires_at: int | None = None
    mark: Mark | None = None
    subscription: Subscription | None = None
    beyond: Beyond | None = None
    rules: int = 1

    @property
    def grants(self) -> tuple[GrantTerms, ...]:
        """The terms of all the grants that the row made, in their order."""
        return () if self.grant is None else (self.grant, *self.more_grants)

    def giving(self, *grants: GrantTerms) -> "Detail":
        """Return the same facts, of a row that makes these grants."""
        return msgspec.structs.replace(self, grant=grants[0] if grants else None, more_grants=grants[1:])


class Transaction(msgspec.Struct, frozen=True, gc=False):
    """One row of the ledger: an accepted command, or a change that was due.

    `about_seq` is the `seq` in the id `detail.about`: by it the later rows about a transaction are found.
    """

    account_no: int
    seq: int
    id: str
    account_id: str
    kind: Kind
    amount: int
    balance_after: int
    total_after: int
    held_after: int
    plan: str
    feature_used: str | None
    credits_consumed: int | None
    generation_id: str | None
    metadata: str | None
    metadata_digest: bytes | None
    detail: str
    allocations: str
    idempotency_key: str | None
    fingerprint: bytes | None
    hash_format: int
    hash: bytes
    created_at: int
    recorded_at: int
    about_seq: int | None = None

    def read_detail(self) -> Detail:
        """Return the typed facts of the row."""
        return _decode_detail(self.detail)

    def read_allocations(self) -> tuple[Allocation, ...]:
        """Return the movements of the row."""
        return _decode_allocations(self.allocations)


_decode_detail = decoder_of(Detail)
_decode_allocations = decoder_of(tuple[Allocation, ...])
_encode = msgspec.json.Encoder().encode


def write_detail(detail: Detail) -> str:
    """The canonical text of the typed facts."""
    return _encode(detail).decode()


def write_allocations(allocations: tuple[Allocation, ...]) -> str:
    """The canonical text of the movements."""
    return _encode(allocations).decode()


def transaction_id(account_no: int, seq: int, created_at: int) -> str:
    """A UUIDv7 (RFC 9562, section 5.7) of 48 bits of milliseconds, 42 bits of `seq` and 32 bits of a hash of both.

    No randomness: the same row has the same id, ids sort as the ledger does, and `seq` is read from it.
    """
    milliseconds, salt = created_at // 1000, hashlib.sha256(_TWO_NUMBERS.pack(account_no, seq)).hexdigest()[:8]
    start = f"{milliseconds >> 16:08x}-{milliseconds & 0xFFFF:04x}-7{seq >> 30:03x}"
    return f"{start}-{0x8000 | seq >> 16 & 0x3FFF:04x}-{seq & 0xFFFF:04x}{salt}"


def grant_id(transaction_id: str, place: int) -> str:
    """Return the id of the grant that a transaction made in that place, from 0; the first has the transaction's id."""
    return transaction_id if place == 0 else f"{transaction_id}.{place + 1}"


def seq_of(transaction_id: str) -> int | None:
    """Return the `seq` in the id of a transaction, hold or grant; None for any other text."""
    found = _ID.match(transaction_id)
    if found is None:
        return None
    high, middle, low = (int(part, 16) for part in found.groups())
    return high << 30 | (middle & 0x3FFF) << 16 | low

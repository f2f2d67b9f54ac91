"""A history as values: every request as its client saw it, and the ledger's rows at the end.

Not here: how they are recorded (witness_record.py), and how they are checked (checker.py).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sixpence.core.catalog.catalog import PricedBy

Body = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Asked:
    """One intended request; its number is in its metadata, which identifies its row.

    `fields` are those of the body, and the ids of the path; instants in it are as they are sent.
    """

    number: int
    account: str
    kind: str
    fields: Body = field(default_factory=dict)
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """One sending of a request, and its answer; several calls of one request share a key.

    Instants are microseconds since 1970 on one clock that never goes back. No `status` means that no answer came.
    """

    asked: Asked
    called_at: int
    returned_at: int | None = None
    status: int | None = None
    text: str = ""
    body: Body = field(default_factory=dict)
    replayed: bool = False

    @property
    def accepted(self) -> bool:
        """Whether the answer accepts the request."""
        return self.status in (200, 201)

    @property
    def refused(self) -> bool:
        """Whether the answer refuses the request."""
        return self.status is not None and 400 <= self.status < 500

    @property
    def unknown(self) -> bool:
        """Whether the outcome is unknown: no answer, or one with that code."""
        return self.status is None or self.body.get("code") == "outcome-unknown"

    def __str__(self) -> str:
        key = f" key {self.asked.key!r}" if self.asked.key else ""
        came = "no answer" if self.status is None else f"{self.status} {self.text}"
        when = f"{self.called_at}..{self.returned_at or ''}"
        return f"request {self.asked.number}{key} {self.asked.kind} {dict(self.asked.fields)} {when}: {came}"


def has_row(body: Body) -> bool:
    """Whether an accepted request wrote a row; a no-op without a key writes none."""
    return bool(body.get("created", body.get("transaction_id") is not None))


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the ledger, named by its columns; `number` is that of the request in its metadata."""

    account: str
    seq: int
    id: str
    kind: str
    amount: int
    remaining: int
    total: int
    held: int
    plan: str
    feature: str | None
    consumed: int | None
    at: int
    key: str | None = None
    number: int | None = None


@dataclass(frozen=True)
class History:
    """All calls and all rows, with the catalog that priced them."""

    calls: Sequence[Call]
    rows: Sequence[Row]
    priced_by: PricedBy


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault that the ledger's order does not explain: a fixed word, and a sentence."""

    account: str
    what: str
    words: str

    def __str__(self) -> str:
        return f"account {self.account}, {self.what}: {self.words}"

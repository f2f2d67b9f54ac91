"""The witness: a record of all requests and answers in order, independent of the database.

Every answer is checked when it leaves a process: its row is committed, the row is this request's, the same key has the
same row, and its version is not older than an earlier answer's. Not here: the comparison with the ledger at the end
(`final_checks`).
"""

from typing import NamedTuple

import msgspec

from sixpence.core.account.commands import Command, Key
from sixpence.core.account.transaction import Transaction
from sixpence.core.errors import (
    AccountBusyError,
    CreditSystemError,
    InternalError,
    NotPermittedError,
    OutcomeUnknownError,
    RefusedError,
    UnavailableError,
)
from sixpence.ledger.writer.batch import Accepted, Outcome, Request
from tests.simulation.database import Database
from tests.simulation.trace import InvariantBroken


class Intent:
    """A request to be done once, in one or more attempts; its tag is in the metadata of its row."""

    __slots__ = (
        "accepted",
        "asked_at_version",
        "number",
        "open_sends",
        "poisoned",
        "request",
        "row",
        "unknown",
    )

    def __init__(self, number: int, request: Request, *, poisoned: bool = False) -> None:
        self.number = number
        self.request = request
        self.poisoned = poisoned
        self.asked_at_version: int | None = None
        self.open_sends = 0
        self.unknown = False
        self.accepted = 0
        self.row: Transaction | None = None

    @property
    def account_id(self) -> str:
        """The request's account."""
        return self.request.account_id

    @property
    def may_be_stored(self) -> bool:
        """Whether its row may exist without an acknowledgement."""
        return self.unknown or self.open_sends > 0


class Arrival(NamedTuple):
    """When a request reached a process, and the newest version of its account in any earlier answer."""

    version: int
    at: int


def metadata_of(number: int) -> str:
    """The metadata of a request, which identifies its row."""
    return f'{{"ask":{number}}}'


class Witness:
    """All requests of a run, and the newest version of each account in any answer."""

    def __init__(self, database: Database) -> None:
        self.intents: dict[str, Intent] = {}
        self.answered_at = 0
        self.answers = 0
        self.replays = 0
        self.refusals = 0
        self._database = database
        self._answered_versions: dict[str, int] = {}
        self._by_fingerprint: dict[bytes, Intent] = {}

    def intend(
        self, command: Command, account_id: str, key: Key | None, permit: bytes | None, poisoned: bool
    ) -> Intent:
        """Record a new request, and tag its command."""
        number = len(self.intents) + 1
        tag = metadata_of(number)
        if "metadata" in command.__struct_fields__:
            command = msgspec.structs.replace(command, metadata=tag)
        intent = Intent(number, Request(account_id, command, key, permit), poisoned=poisoned)
        self.intents[tag] = intent
        if key is not None:
            self._by_fingerprint[key.fingerprint] = intent
        return intent

    def wanted(self, row: Transaction) -> Intent | None:
        """The request of a row; the row of an `EnsureAccount` on an existing account has no metadata, only its key."""
        if row.kind == "ensure" and row.fingerprint is not None:
            return self._by_fingerprint.get(row.fingerprint)
        return self.intents.get(row.metadata or "")

    def sent(self, intent: Intent) -> Arrival:
        """Record that the request reaches a process."""
        version = self._answered_versions.get(intent.account_id, 0)
        if intent.asked_at_version is None:
            intent.asked_at_version = version
        intent.open_sends += 1
        return Arrival(version, self._database.schedule.now)

    def rejected(self, intent: Intent) -> None:
        """Record that the request was rejected."""
        intent.open_sends -= 1

    def answered(self, intent: Intent, outcome: Outcome, asked: Arrival) -> None:
        """Check and record an answer that leaves a process."""
        self.answers += 1
        intent.open_sends -= 1
        if is_final(outcome):
            self.answered_at = self._database.schedule.now
        if isinstance(outcome, Accepted):
            self._accepted(intent, outcome, asked.version)
        elif isinstance(outcome, OutcomeUnknownError):
            intent.unknown = True
        elif isinstance(outcome, AccountBusyError) and self._database.held_at.get(intent.account_id, -1) < asked.at:
            raise InvariantBroken(
                f"request {intent.number} heard that {intent.account_id} is busy, and nobody else had it"
            )
        elif isinstance(outcome, RefusedError | NotPermittedError):
            self.refusals += 1
        elif isinstance(outcome, InternalError):
            if not intent.poisoned:
                raise InvariantBroken(f"a defect ended request {intent.number} of {intent.account_id}")
        elif not isinstance(outcome, UnavailableError):
            raise InvariantBroken(f"unexpected answer {outcome!r} to request {intent.number}")

    def _accepted(self, intent: Intent, outcome: Accepted, version: int) -> None:
        account, row, number = outcome.account, outcome.row, intent.number
        committed = self._database.accounts.get(account.account_no)
        if committed is None or committed.seq < account.seq:
            raise InvariantBroken(
                f"request {number} was answered with version {account.seq} of {account.account_id} uncommitted"
            )
        if account.seq < version:
            raise InvariantBroken(
                f"request {number} was answered with version {account.seq}, and others knew {version} before"
            )
        self._answered_versions[intent.account_id] = max(account.seq, self._answered_versions.get(intent.account_id, 0))
        if row is None:
            if intent.request.key is not None:
                raise InvariantBroken(f"request {number} has a key and left no row")
            return
        self._check_row(intent, row)
        self.replays += outcome.replayed
        intent.accepted += not outcome.replayed
        if intent.accepted > 1:
            raise InvariantBroken(f"request {number} was done twice, and both times answered as new")
        intent.row = row

    def _check_row(self, intent: Intent, row: Transaction) -> None:
        number, request = intent.number, intent.request
        if row != self._database.rows.get(row.account_no, {}).get(row.seq):
            raise InvariantBroken(f"request {number} was answered with transaction {row.seq}, which is not committed")
        if intent.row is not None and row != intent.row:
            raise InvariantBroken(
                f"request {number} was answered with transaction {intent.row.seq}, and now with {row.seq}"
            )
        key = None if request.key is None else (request.key.value, request.key.fingerprint)
        has = None if row.idempotency_key is None else (row.idempotency_key, row.fingerprint)
        if self.wanted(row) is not intent or (row.account_id, has) != (request.account_id, key):
            raise InvariantBroken(f"request {number} was answered with transaction {row.seq} of another request")
        if row.seq <= (intent.asked_at_version or 0):
            raise InvariantBroken(
                f"request {number} was asked at version {intent.asked_at_version} and has row {row.seq}"
            )


def is_final(outcome: Outcome | None) -> bool:
    """Whether the answer is final, so that the caller does not retry."""
    return outcome is not None and not isinstance(outcome, UnavailableError)


def describe_outcome(outcome: Outcome) -> str:
    """The outcome in a word or two."""
    if isinstance(outcome, Accepted):
        return f"accepted as {None if outcome.row is None else outcome.row.seq}{' again' if outcome.replayed else ''}"
    assert isinstance(outcome, CreditSystemError)
    return outcome.code

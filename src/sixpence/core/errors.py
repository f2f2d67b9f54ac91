"""Everything Sixpence can refuse or fail with, as values that carry their data.

`decide` returns a `RefusedError`, the service raises it, the HTTP layer turns it into a problem. The tree:

    CreditSystemError
    ├── RefusedError                 understood and refused: the account is as it was (leaves in `refusals`)
    │   ├── InsufficientCreditsError
    │   ├── AccountNotFoundError
    │   ├── AccountFrozenError
    │   ├── AccountClosedError
    │   ├── TransactionNotFoundError
    │   ├── NotRefundableError
    │   ├── RefundLimitError
    │   ├── UnknownFeatureError
    │   ├── UnpricedUsageError
    │   ├── FairUseError
    │   ├── UnknownPlanError
    │   ├── TrialRefusedError
    │   ├── BalanceLimitError
    │   ├── AdjustLimitError
    │   ├── GrantLimitError
    │   ├── GrantPeriodError
    │   ├── GrantNotFoundError
    │   ├── GrantEndedError
    │   ├── HoldNotFoundError
    │   ├── HoldEndedError
    │   ├── SourceClaimedError
    │   └── IdempotencyConflictError
    ├── InvalidInputError            a field that cannot be read: names field, problem and remedy
    ├── CatalogError                 a catalog with problems, all of them named
    ├── NotPermittedError            what the caller showed does not let in, or no longer
    ├── UnavailableError             nothing was decided, or it is not known: try again
    │   ├── QueueFullError
    │   ├── AccountBusyError
    │   ├── DatabaseUnavailableError
    │   ├── OutcomeUnknownError
    │   ├── TransactionEndedError
    │   └── ServiceClosedError
    ├── DatabaseSetupError           a database that cannot be used as it stands
    ├── CheckpointNotFoundError      there is none of this number, or none at all
    ├── CheckpointRefusedError       nothing was signed, since the ledger is not what it should be
    └── InternalError                a defect: the command had no effect

`BrokenLedgerError` stands outside the tree on purpose: a broken invariant is not an error to handle.
HTTP statuses are not here: `sixpence.http.wire.problems` maps codes to statuses.
"""

from dataclasses import dataclass, fields
from typing import Any, ClassVar


class CreditSystemError(Exception):
    """The root of all that Sixpence raises; `code` is stable, `str()` says what was wrong and what to do."""

    code: ClassVar[str] = "credit-system-error"
    title: ClassVar[str] = "The credit system could not do this"

    def __post_init__(self) -> None:
        # The fields are the arguments, so that an error pickles and compares by its data.
        self.args = tuple(getattr(self, field.name) for field in fields(self))  # type: ignore[arg-type]

    def __str__(self) -> str:
        return self.title

    def data(self) -> dict[str, Any]:
        """The facts of the refusal by name, as they stand in a problem's body."""
        return {field.name: getattr(self, field.name) for field in fields(self)}  # type: ignore[arg-type]


@dataclass(unsafe_hash=True)
class RefusedError(CreditSystemError):
    """A command that was understood and refused; it left no row and changed nothing."""


@dataclass(unsafe_hash=True)
class InvalidInputError(CreditSystemError):
    """A value that cannot be accepted: `field` names it, `problem` says what is wrong and what to send."""

    code: ClassVar[str] = "invalid-input"
    title: ClassVar[str] = "A field is not valid"
    field: str
    problem: str

    def __str__(self) -> str:
        return f"{self.field}: {self.problem}"


@dataclass(unsafe_hash=True)
class CatalogError(CreditSystemError):
    """A catalog that cannot be used; every problem in it is named at once."""

    code: ClassVar[str] = "invalid-catalog"
    title: ClassVar[str] = "The catalog is not valid"
    problems: tuple[str, ...]

    def __str__(self) -> str:
        return "The catalog is not valid:\n" + "\n".join(f"  - {problem}" for problem in self.problems)


@dataclass(unsafe_hash=True)
class NotPermittedError(CreditSystemError):
    """The API key that came with a command is unknown or revoked; nothing was decided."""

    code: ClassVar[str] = "invalid-api-key"
    title: ClassVar[str] = "No valid API key"

    def __str__(self) -> str:
        return "This API key is unknown or revoked. Make one: sixpence key create."


@dataclass(unsafe_hash=True)
class UnavailableError(CreditSystemError):
    """The request could not be served now; `retry_after_seconds` says when trying again makes sense."""

    code: ClassVar[str] = "unavailable"
    title: ClassVar[str] = "Not available right now"
    retry_after_seconds: int = 1


@dataclass(unsafe_hash=True)
class QueueFullError(UnavailableError):
    """More commands are waiting than the writer accepts; nothing was decided."""

    code: ClassVar[str] = "overloaded"
    title: ClassVar[str] = "Too many requests are waiting"

    def __str__(self) -> str:
        return f"Too many requests are waiting. Nothing was changed; try again in {self.retry_after_seconds} s."


@dataclass(unsafe_hash=True)
class AccountBusyError(UnavailableError):
    """Another session has held this account for longer than a command may wait; nothing was decided."""

    code: ClassVar[str] = "account-busy"
    title: ClassVar[str] = "The account is busy"

    def __str__(self) -> str:
        return f"Another transaction holds the account. Nothing was changed; try again in {self.retry_after_seconds} s."


@dataclass(unsafe_hash=True)
class DatabaseUnavailableError(UnavailableError):
    """The database did not answer; nothing was changed."""

    code: ClassVar[str] = "database-unavailable"
    title: ClassVar[str] = "The database is not available"

    def __str__(self) -> str:
        return f"The database is not available. Nothing was changed; try again in {self.retry_after_seconds} s."


@dataclass(unsafe_hash=True)
class OutcomeUnknownError(UnavailableError):
    """The database went away during COMMIT and has not come back: the change may or may not have been made."""

    code: ClassVar[str] = "outcome-unknown"
    title: ClassVar[str] = "The outcome is not known yet"

    def __str__(self) -> str:
        return "The database went away while committing. Send the request again with the same idempotency key."


@dataclass(unsafe_hash=True)
class TransactionEndedError(UnavailableError):
    """The caller's own transaction is over, or took so long that it was undone: this did not become part of it."""

    code: ClassVar[str] = "transaction-ended"
    title: ClassVar[str] = "The transaction has ended"

    def __str__(self) -> str:
        return (
            "The transaction has ended, or took too long and was undone. Nothing was changed by this; begin another, "
            "and do what takes long before or after it."
        )


@dataclass(unsafe_hash=True)
class ServiceClosedError(UnavailableError):
    """The service is closing or closed; nothing was decided."""

    code: ClassVar[str] = "closed"
    title: ClassVar[str] = "The service is closing"

    def __str__(self) -> str:
        return "The credit service is closed. Nothing was changed; send the request to a running one."


@dataclass(unsafe_hash=True)
class DatabaseSetupError(CreditSystemError):
    """The database cannot be used as it stands; `problem` says why, `remedy` what to do."""

    code: ClassVar[str] = "database-setup"
    title: ClassVar[str] = "The database cannot be used as it is"
    problem: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.problem} {self.remedy}"


@dataclass(unsafe_hash=True)
class CheckpointNotFoundError(CreditSystemError):
    """There is no checkpoint of this number; None: there is none at all yet."""

    code: ClassVar[str] = "checkpoint-not-found"
    title: ClassVar[str] = "No such checkpoint"
    number: int | None = None

    def __str__(self) -> str:
        which = "yet" if self.number is None else f"{self.number}"
        return f"There is no checkpoint {which}. Make one: sixpence checkpoint."


@dataclass(unsafe_hash=True)
class CheckpointRefusedError(CreditSystemError):
    """Nothing was signed, since the ledger is not what it should be; `problem` says in what."""

    code: ClassVar[str] = "checkpoint-refused"
    title: ClassVar[str] = "Nothing was signed"
    problem: str

    def __str__(self) -> str:
        return f"Nothing was signed: {self.problem} See: sixpence verify."


@dataclass(unsafe_hash=True)
class InternalError(CreditSystemError):
    """A defect in Sixpence; the command had no effect, and the log has the cause."""

    code: ClassVar[str] = "internal-error"
    title: ClassVar[str] = "Something went wrong on our side"

    def __str__(self) -> str:
        return "Something went wrong on our side. The request had no effect. Send it again, and report it if it stays."


class BrokenLedgerError(RuntimeError):
    """An invariant does not hold. Never handled, never mapped: it stops the command that met it."""

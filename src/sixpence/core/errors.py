"""The errors of Sixpence, as values that carry their data: the base that declares them, and every error but refusals.

`decide` returns a `RefusedError`, the service raises it, the HTTP layer turns it into a problem. The tree:

    CreditSystemError
    ├── RefusedError                 understood and refused: the account is unchanged (leaves in `refusals`)
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
    ├── InvalidInputError            a field is invalid: names field, problem and remedy
    ├── CatalogError                 a catalog is invalid: names all its problems
    ├── NotPermittedError            the caller's API key is unknown or revoked
    ├── UnavailableError             nothing was decided, or the outcome is unknown: try again
    │   ├── QueueFullError
    │   ├── AccountBusyError
    │   ├── DatabaseUnavailableError
    │   ├── OutcomeUnknownError
    │   ├── TransactionEndedError
    │   └── ServiceClosedError
    ├── DatabaseSetupError           the database cannot be used as it is
    ├── CheckpointNotFoundError      no checkpoint has this number, or none was made
    ├── CheckpointRefusedError       nothing was signed: the ledger fails its checks
    └── InternalError                a defect: the command had no effect

`BrokenLedgerError` is outside the tree on purpose: a broken invariant is not an error to handle.
HTTP statuses are not here: `sixpence.http.wire.problems` maps codes to statuses.
"""

from dataclasses import dataclass, fields
from typing import Any, ClassVar, dataclass_transform


@dataclass_transform(eq_default=False)
@dataclass(eq=False)
class CreditSystemError(Exception):
    """The base of all errors that Sixpence raises; `code` is stable, `str()` says what was wrong and what to do.

    A subclass is declared by its code, its title, its fields and its message, in which the fields are named in braces.
    Each is a dataclass that compares, hashes and pickles by its fields.
    """

    code: ClassVar[str] = "credit-system-error"
    title: ClassVar[str] = "The credit system could not do this"
    # Without a message the title is shown.
    message: ClassVar[str] = ""

    def __init_subclass__(cls, *, code: str | None = None, title: str | None = None) -> None:
        super().__init_subclass__()
        cls.code = cls.code if code is None else code
        cls.title = cls.title if title is None else title
        dataclass(eq=False)(cls)

    def __post_init__(self) -> None:
        # Pickling calls the class with `args`.
        self.args = self._values()

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and self._values() == other._values()

    def __hash__(self) -> int:
        return hash(self._values())

    def __str__(self) -> str:
        return (self.message or self.title).format(**vars(self))

    def data(self) -> dict[str, Any]:
        """Return the facts of the error by name, as a problem's body has them."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def _values(self) -> tuple[Any, ...]:
        return tuple(getattr(self, field.name) for field in fields(self))


class RefusedError(CreditSystemError):
    """A command was understood and refused; it wrote no row and changed nothing."""


class InvalidInputError(CreditSystemError, code="invalid-input", title="A field is not valid"):
    """A value is invalid: `field` names it, `problem` says what is wrong and what to send."""

    field: str
    problem: str
    message = "{field}: {problem}"


class CatalogError(CreditSystemError, code="invalid-catalog", title="The catalog is not valid"):
    """A catalog is invalid; `problems` has all its problems at once."""

    problems: tuple[str, ...]

    def __str__(self) -> str:
        return "The catalog is not valid:\n" + "\n".join(f"  - {problem}" for problem in self.problems)


class NotPermittedError(CreditSystemError, code="invalid-api-key", title="No valid API key"):
    """The API key that came with a command is unknown or revoked; nothing was decided."""

    message = "This API key is unknown or revoked. Make one: sixpence key create."


class UnavailableError(CreditSystemError, code="unavailable", title="Not available right now"):
    """The request could not be served now; `retry_after_seconds` is when to try again."""

    retry_after_seconds: int = 1


class QueueFullError(UnavailableError, code="overloaded", title="Too many requests are waiting"):
    """More commands are waiting than the writer accepts; nothing was decided."""

    message = "Too many requests are waiting. Nothing was changed; try again in {retry_after_seconds} s."


class AccountBusyError(UnavailableError, code="account-busy", title="The account is busy"):
    """Another session has locked this account for longer than a command may wait; nothing was decided."""

    message = "Another transaction holds the account. Nothing was changed; try again in {retry_after_seconds} s."


class DatabaseUnavailableError(UnavailableError, code="database-unavailable", title="The database is not available"):
    """The database did not answer; nothing was changed."""

    message = "The database is not available. Nothing was changed; try again in {retry_after_seconds} s."


class OutcomeUnknownError(UnavailableError, code="outcome-unknown", title="The outcome is not known yet"):
    """The connection was lost during COMMIT and the database has not come back: the outcome is unknown."""

    message = "The database went away while committing. Send the request again with the same idempotency key."


class TransactionEndedError(UnavailableError, code="transaction-ended", title="The transaction has ended"):
    """The caller's own transaction has ended, or took too long and was undone; this command is not part of it."""

    message = (
        "The transaction has ended, or took too long and was undone. This command changed nothing. "
        "Begin another transaction, and do slow work before or after it."
    )


class ServiceClosedError(UnavailableError, code="closed", title="The service is closing"):
    """The service is closing or closed; nothing was decided."""

    message = "The credit service is closed. Nothing was changed; send the request to a running one."


class DatabaseSetupError(CreditSystemError, code="database-setup", title="The database cannot be used as it is"):
    """The database cannot be used as it is; `problem` says why, `remedy` what to do."""

    problem: str
    remedy: str
    message = "{problem} {remedy}"


class CheckpointNotFoundError(CreditSystemError, code="checkpoint-not-found", title="No such checkpoint"):
    """No checkpoint has this number; None: no checkpoint was made yet."""

    number: int | None = None

    def __str__(self) -> str:
        which = "yet" if self.number is None else f"{self.number}"
        return f"There is no checkpoint {which}. Make one: sixpence checkpoint."


class CheckpointRefusedError(CreditSystemError, code="checkpoint-refused", title="Nothing was signed"):
    """Nothing was signed, because the ledger fails its checks; `problem` says which."""

    problem: str
    message = "Nothing was signed: {problem} See: sixpence verify."


class InternalError(CreditSystemError, code="internal-error", title="Something went wrong on our side"):
    """A defect in Sixpence; the command had no effect, and the log has the cause."""

    message = "Something went wrong on our side. The request had no effect. Send it again, and report it if it repeats."


class BrokenLedgerError(RuntimeError):
    """An invariant does not hold. Never handled, never mapped: it stops the command."""

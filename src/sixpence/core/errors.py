"""Everything Sixpence can refuse or fail with, as values that carry their data.

`decide` returns a `RefusedError`, the service raises it, the HTTP layer turns it into a problem. The tree:

    CreditSystemError
    ├── RefusedError                 understood and refused: the account is as it was
    │   ├── InsufficientCreditsError
    │   ├── AccountNotFoundError
    │   ├── TransactionNotFoundError
    │   ├── UnknownFeatureError
    │   ├── UnknownPlanError
    │   ├── BalanceLimitError
    │   ├── GrantLimitError
    │   ├── GrantPeriodError
    │   └── IdempotencyConflictError
    ├── InvalidInputError            a field that cannot be read: names field, problem and remedy
    ├── CatalogError                 a catalog with problems, all of them named
    ├── UnavailableError             nothing was decided, or it is not known: try again
    │   ├── QueueFullError
    │   ├── AccountBusyError
    │   ├── DatabaseUnavailableError
    │   ├── OutcomeUnknownError
    │   └── ServiceClosedError
    ├── DatabaseSetupError           a database that cannot be used as it stands
    └── InternalError                a defect: the command had no effect

`BrokenLedgerError` stands outside the tree on purpose: a broken invariant is not an error to handle.
HTTP statuses are not here: `sixpence.http.problems` maps codes to statuses.
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
class InsufficientCreditsError(RefusedError):
    """The account cannot pay: `required` and `available` (for this feature) are in the smallest unit."""

    code: ClassVar[str] = "insufficient-credits"
    title: ClassVar[str] = "Not enough credits"
    feature: str
    required: int
    remaining: int
    available: int

    @property
    def shortfall(self) -> int:
        """How much is missing for this use."""
        return self.required - self.available

    def __str__(self) -> str:
        need = f"'{self.feature}' costs {self.required} and {self.available} can be spent on it"
        return f"Not enough credits: {need}. Top up or change the plan, then send the same request again."

    def data(self) -> dict[str, Any]:
        """The facts with the shortfall added."""
        return {**super().data(), "shortfall": self.shortfall}


@dataclass(unsafe_hash=True)
class AccountNotFoundError(RefusedError):
    """No account has this id."""

    code: ClassVar[str] = "account-not-found"
    title: ClassVar[str] = "No such account"
    account_id: str

    def __str__(self) -> str:
        return f"There is no account '{self.account_id}'. Make it first: initialize_user_credits, or POST /v1/accounts."


@dataclass(unsafe_hash=True)
class TransactionNotFoundError(RefusedError):
    """The account has no transaction with this id."""

    code: ClassVar[str] = "transaction-not-found"
    title: ClassVar[str] = "No such transaction"
    account_id: str
    transaction_id: str

    def __str__(self) -> str:
        return f"Account '{self.account_id}' has no transaction '{self.transaction_id}'. Take the id from its history."


@dataclass(unsafe_hash=True)
class UnknownFeatureError(RefusedError):
    """The catalog sells no such feature."""

    code: ClassVar[str] = "unknown-feature"
    title: ClassVar[str] = "No such feature"
    feature: str
    known: tuple[str, ...]

    def __str__(self) -> str:
        return f"feature: '{self.feature}' is not in the catalog. It has: {', '.join(self.known)}."


@dataclass(unsafe_hash=True)
class UnknownPlanError(RefusedError):
    """The catalog has no such plan."""

    code: ClassVar[str] = "unknown-plan"
    title: ClassVar[str] = "No such plan"
    plan: str
    known: tuple[str, ...]

    def __str__(self) -> str:
        return f"plan: '{self.plan}' is not in the catalog. It has: {', '.join(self.known)}."


@dataclass(unsafe_hash=True)
class BalanceLimitError(RefusedError):
    """A grant would lift the account over the largest balance that every client can represent, 2^53 - 1."""

    code: ClassVar[str] = "balance-limit"
    title: ClassVar[str] = "The balance would be too large"
    amount: int
    total: int
    limit: int

    def __str__(self) -> str:
        return f"amount: {self.amount} on top of {self.total} passes the limit of {self.limit}. Grant less."


@dataclass(unsafe_hash=True)
class GrantLimitError(RefusedError):
    """The account already has as many live grants as one account may have."""

    code: ClassVar[str] = "grant-limit"
    title: ClassVar[str] = "Too many live grants"
    limit: int

    def __str__(self) -> str:
        return f"The account has {self.limit} live grants, the most there may be. Wait until one is spent or expires."


@dataclass(unsafe_hash=True)
class GrantPeriodError(RefusedError):
    """The times of a grant leave no instant at which it could be spent."""

    code: ClassVar[str] = "grant-period"
    title: ClassVar[str] = "The grant could never be spent"
    field: str
    value: str
    reason: str

    def __str__(self) -> str:
        return f"{self.field}: {self.value} {self.reason}."


@dataclass(unsafe_hash=True)
class IdempotencyConflictError(RefusedError):
    """The key was used on this account for another request."""

    code: ClassVar[str] = "idempotency-conflict"
    title: ClassVar[str] = "The idempotency key belongs to another request"
    idempotency_key: str

    def __str__(self) -> str:
        key = self.idempotency_key
        return f"Idempotency key '{key}' was used for another request. Send that request again, or use a new key."


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
class InternalError(CreditSystemError):
    """A defect in Sixpence; the command had no effect, and the log has the cause."""

    code: ClassVar[str] = "internal-error"
    title: ClassVar[str] = "Something went wrong on our side"

    def __str__(self) -> str:
        return "Something went wrong on our side. The request had no effect. Send it again, and report it if it stays."


class BrokenLedgerError(RuntimeError):
    """An invariant does not hold. Never handled, never mapped: it stops the command that met it."""

"""The refusals: every way in which a command can be understood and not carried out; the account is as it was.

Leaves of the tree in `errors`, each with the facts that a caller needs to go on.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

from sixpence.core.errors import RefusedError


@dataclass(unsafe_hash=True)
class InsufficientCreditsError(RefusedError):
    """The account cannot pay: `required` and `available` (for this feature, with an overdraft).

    `held` is set aside for running work, `scheduled` takes effect later; `next_allowance_at` is the next allowance.
    """

    code: ClassVar[str] = "insufficient-credits"
    title: ClassVar[str] = "Not enough credits"
    feature: str
    required: int
    remaining: int
    available: int
    held: int = 0
    scheduled: int = 0
    next_allowance_at: str | None = None

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
    """A grant, or a hold, would lift the account over the largest balance that every client can represent, 2^53 - 1.

    `total` is what counts already: all credits, or for a hold all that is held.
    """

    code: ClassVar[str] = "balance-limit"
    title: ClassVar[str] = "The balance would be too large"
    amount: int
    total: int
    limit: int

    def __str__(self) -> str:
        room = self.limit - self.total
        remedy = f"Send at most {room}" if room > 0 else "Nothing more fits"
        return f"amount: {self.amount} on top of {self.total} passes the limit of {self.limit}. {remedy}."


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
class AccountFrozenError(RefusedError):
    """The account is frozen: nothing is spent or set aside until somebody ends that."""

    code: ClassVar[str] = "account-frozen"
    title: ClassVar[str] = "The account is frozen"
    account_id: str

    def __str__(self) -> str:
        return f"Account '{self.account_id}' is frozen: nothing can be spent or set aside. Unfreeze it first."


@dataclass(unsafe_hash=True)
class AccountClosedError(RefusedError):
    """The account was closed; nothing comes or goes any more."""

    code: ClassVar[str] = "account-closed"
    title: ClassVar[str] = "The account is closed"
    account_id: str

    def __str__(self) -> str:
        return f"Account '{self.account_id}' is closed. Use another account."


@dataclass(unsafe_hash=True)
class UnpricedUsageError(RefusedError):
    """The usage has no price: the feature is not sold by these units, or not for that model."""

    code: ClassVar[str] = "invalid-usage"
    title: ClassVar[str] = "The usage has no price"
    field: str
    problem: str

    def __str__(self) -> str:
        return f"{self.field}: {self.problem}"


@dataclass(unsafe_hash=True)
class FairUseError(RefusedError):
    """The unlimited plan's fair use is used up; `opens_at` is the exact instant at which one more use fits."""

    code: ClassVar[str] = "fair-use-limit"
    title: ClassVar[str] = "Fair use is used up for now"
    plan: str
    uses: int
    per: str
    opens_at: str | None

    def __str__(self) -> str:
        remedy = "Put the account on another plan" if self.opens_at is None else f"Try again at {self.opens_at}"
        return f"Plan '{self.plan}' allows {self.uses} uses in any {self.per}, and they are used up. {remedy}."


@dataclass(unsafe_hash=True)
class HoldNotFoundError(RefusedError):
    """The account has no hold with this id."""

    code: ClassVar[str] = "hold-not-found"
    title: ClassVar[str] = "No such hold"
    account_id: str
    hold_id: str

    def __str__(self) -> str:
        return f"Account '{self.account_id}' has no hold '{self.hold_id}'. Send the id that placing it gave."


@dataclass(unsafe_hash=True)
class HoldEndedError(RefusedError):
    """The hold was captured, released or has expired, at `ended_at`; a hold ends once (invariant 7)."""

    code: ClassVar[str] = "hold-ended"
    title: ClassVar[str] = "The hold has ended"
    hold_id: str
    state: str
    ended_at: str
    captured_late: bool = False

    def __str__(self) -> str:
        if self.captured_late:
            return f"Hold '{self.hold_id}' expired at {self.ended_at} and was captured late already. Consume instead."
        if self.state == "expired":
            return (
                f"Hold '{self.hold_id}' expired at {self.ended_at} and its credits went back. "
                "Capture it late, or place another."
            )
        return f"Hold '{self.hold_id}' was {self.state} at {self.ended_at}. Place another."


@dataclass(unsafe_hash=True)
class NotRefundableError(RefusedError):
    """The transaction consumed nothing that could be given back: only a consumption or a capture can be refunded."""

    code: ClassVar[str] = "not-refundable"
    title: ClassVar[str] = "The transaction cannot be refunded"
    transaction_id: str
    kind: str

    def __str__(self) -> str:
        return f"Transaction '{self.transaction_id}' is of kind '{self.kind}'. Refund a consume or a capture."


@dataclass(unsafe_hash=True)
class RefundLimitError(RefusedError):
    """More would be given back than the transaction consumed; `left` is what can still be refunded."""

    code: ClassVar[str] = "refund-limit"
    title: ClassVar[str] = "More than was consumed"
    transaction_id: str
    amount: int | None
    left: int

    def __str__(self) -> str:
        if self.left == 0:
            return f"Nothing of transaction '{self.transaction_id}' is left to refund."
        return f"amount: {self.amount} is more than the {self.left} that is left to refund. Send at most {self.left}."


@dataclass(unsafe_hash=True)
class GrantNotFoundError(RefusedError):
    """The account has no grant with this id."""

    code: ClassVar[str] = "grant-not-found"
    title: ClassVar[str] = "No such grant"
    account_id: str
    grant_id: str

    def __str__(self) -> str:
        return f"Account '{self.account_id}' has no grant '{self.grant_id}'. Take the id from its history."


@dataclass(unsafe_hash=True)
class GrantEndedError(RefusedError):
    """The grant was voided before."""

    code: ClassVar[str] = "grant-ended"
    title: ClassVar[str] = "The grant was voided before"
    grant_id: str

    def __str__(self) -> str:
        return f"Grant '{self.grant_id}' was voided before. Nothing is left of it to void."


@dataclass(unsafe_hash=True)
class AdjustLimitError(RefusedError):
    """An adjustment would take more than there is unheld; `available` is what it could take."""

    code: ClassVar[str] = "adjust-limit"
    title: ClassVar[str] = "More than there is to take"
    amount: int
    available: int

    def __str__(self) -> str:
        return f"amount: {self.amount} takes more than the {self.available} there are. Send {-self.available} at most."


@dataclass(unsafe_hash=True)
class TrialRefusedError(RefusedError):
    """The plan cannot be tried now; `reason` says why."""

    code: ClassVar[str] = "trial-refused"
    title: ClassVar[str] = "The plan cannot be tried"
    plan: str
    reason: str

    def __str__(self) -> str:
        return f"trial: plan '{self.plan}' {self.reason}. Put the account on it without a trial."


@dataclass(unsafe_hash=True)
class SourceClaimedError(RefusedError):
    """The outside event (a payment, a referral) has already granted credits to another account."""

    code: ClassVar[str] = "source-claimed"
    title: ClassVar[str] = "The event was used for another account"
    source_key: str
    claimed_by: str

    def __str__(self) -> str:
        return f"source_key: '{self.source_key}' was used for account '{self.claimed_by}'. An event grants once."

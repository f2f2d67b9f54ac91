"""The refusals: every reason for which a command is understood and not carried out; the account stays unchanged.

Leaves of the tree in `errors`, each with the facts that a caller needs to continue.
"""

from collections.abc import Sequence
from typing import Any

from sixpence.core.errors import RefusedError


class InsufficientCreditsError(RefusedError, code="insufficient-credits", title="Not enough credits"):
    """The account cannot pay `required`; `available` is what it can spend on this feature, the overdraft included.

    `held` is set aside for running work, `scheduled` takes effect later; `next_allowance_at` is the next allowance.
    """

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
        """Return the facts with the shortfall added."""
        return {**super().data(), "shortfall": self.shortfall}

    def problem(self, *, upgrade_url: str | None = None, offers: Sequence[Any] = ()) -> dict[str, Any]:
        """Return the body of the answer 402 (problem details, RFC 9457), as HTTP and the integrations send it.

        `upgrade_url` is where a user can buy credits; `offers` are the plans on offer: `Catalog.offers()`.
        """
        facts = {**self.data(), "upgrade_url": upgrade_url, "offers": list(offers)}
        own = {"code": self.code, "title": self.title, "detail": str(self), "status": 402, "type": "about:blank"}
        return {**facts, **own}


class AccountNotFoundError(RefusedError, code="account-not-found", title="No such account"):
    """No account has this id."""

    account_id: str
    message = "There is no account '{account_id}'. Make it first: initialize_user_credits, or POST /v1/accounts."


class TransactionNotFoundError(RefusedError, code="transaction-not-found", title="No such transaction"):
    """The account has no transaction with this id."""

    account_id: str
    transaction_id: str
    message = "Account '{account_id}' has no transaction '{transaction_id}'. Take the id from its history."


class UnknownFeatureError(RefusedError, code="unknown-feature", title="No such feature"):
    """The catalog sells no such feature."""

    feature: str
    known: tuple[str, ...]

    def __str__(self) -> str:
        return f"feature: '{self.feature}' is not in the catalog. It has: {', '.join(self.known)}."


class UnknownPlanError(RefusedError, code="unknown-plan", title="No such plan"):
    """The catalog has no such plan."""

    plan: str
    known: tuple[str, ...]

    def __str__(self) -> str:
        return f"plan: '{self.plan}' is not in the catalog. It has: {', '.join(self.known)}."


class BalanceLimitError(RefusedError, code="balance-limit", title="The balance would be too large"):
    """A grant or a hold would exceed the largest balance that every client can represent, 2^53 - 1.

    `total` is what counts before it: all credits, or for a hold all that is held.
    """

    amount: int
    total: int
    limit: int

    def __str__(self) -> str:
        room = self.limit - self.total
        remedy = f"Send at most {room}" if room > 0 else "Nothing more fits"
        return f"amount: {self.amount} on top of {self.total} passes the limit of {self.limit}. {remedy}."


class GrantLimitError(RefusedError, code="grant-limit", title="Too many live grants"):
    """The account already has as many live grants as one account may have."""

    limit: int
    message = "The account has {limit} live grants, the maximum. Wait until one is spent or expires."


class GrantPeriodError(RefusedError, code="grant-period", title="The grant could never be spent"):
    """The grant would end before it could be spent."""

    field: str
    value: str
    reason: str
    message = "{field}: {value} {reason}."


class IdempotencyConflictError(
    RefusedError, code="idempotency-conflict", title="The idempotency key belongs to another request"
):
    """The key was used on this account for another request."""

    idempotency_key: str
    message = (
        "Idempotency key '{idempotency_key}' was used for another request. Send that request again, or use a new key."
    )


class AccountFrozenError(RefusedError, code="account-frozen", title="The account is frozen"):
    """The account is frozen: nothing can be spent or set aside until it is unfrozen."""

    account_id: str
    message = "Account '{account_id}' is frozen: nothing can be spent or set aside. Unfreeze it first."


class AccountClosedError(RefusedError, code="account-closed", title="The account is closed"):
    """The account is closed: it can neither spend nor receive credits."""

    account_id: str
    message = "Account '{account_id}' is closed. Use another account."


class UnpricedUsageError(RefusedError, code="invalid-usage", title="The usage has no price"):
    """The usage has no price: the feature is not priced by these units, or not for that model."""

    field: str
    problem: str
    message = "{field}: {problem}"


class FairUseError(RefusedError, code="fair-use-limit", title="Fair use is used up for now"):
    """The unlimited plan's fair use is used up; `opens_at` is the exact instant from which one more use is allowed."""

    plan: str
    uses: int
    per: str
    opens_at: str | None

    def __str__(self) -> str:
        remedy = "Put the account on another plan" if self.opens_at is None else f"Try again at {self.opens_at}"
        return f"Plan '{self.plan}' allows {self.uses} uses in any {self.per}, and they are used up. {remedy}."


class HoldNotFoundError(RefusedError, code="hold-not-found", title="No such hold"):
    """The account has no hold with this id."""

    account_id: str
    hold_id: str
    message = "Account '{account_id}' has no hold '{hold_id}'. Send the id that was returned when it was placed."


class HoldEndedError(RefusedError, code="hold-ended", title="The hold has ended"):
    """The hold was captured, released or expired at `ended_at`; a hold ends once (invariant 7)."""

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


class NotRefundableError(RefusedError, code="not-refundable", title="The transaction cannot be refunded"):
    """The transaction consumed nothing: only a consume or a capture can be refunded."""

    transaction_id: str
    kind: str
    message = "Transaction '{transaction_id}' is of kind '{kind}'. Refund a consume or a capture."


class RefundLimitError(RefusedError, code="refund-limit", title="More than was consumed"):
    """The refund would exceed what the transaction consumed; `left` is what can still be refunded."""

    transaction_id: str
    amount: int | None
    left: int

    def __str__(self) -> str:
        if self.left == 0:
            return f"Nothing of transaction '{self.transaction_id}' is left to refund."
        return f"amount: {self.amount} is more than the {self.left} left to refund. Send at most {self.left}."


class GrantNotFoundError(RefusedError, code="grant-not-found", title="No such grant"):
    """The account has no grant with this id."""

    account_id: str
    grant_id: str
    message = "Account '{account_id}' has no grant '{grant_id}'. Take the id from its history."


class GrantEndedError(RefusedError, code="grant-ended", title="The grant was voided before"):
    """The grant was voided before."""

    grant_id: str
    message = "Grant '{grant_id}' was voided before. Nothing is left of it to void."


class AdjustLimitError(RefusedError, code="adjust-limit", title="More than there is to take"):
    """An adjustment would take more than is available; held credits do not count as available."""

    amount: int
    available: int

    def __str__(self) -> str:
        return f"amount: {self.amount} takes more than the {self.available} available. Send {-self.available} at most."


class TrialRefusedError(RefusedError, code="trial-refused", title="The plan cannot be tried"):
    """The plan cannot be tried now; `reason` says why."""

    plan: str
    reason: str
    message = "trial: plan '{plan}' {reason}. Put the account on it without a trial."


class SourceClaimedError(RefusedError, code="source-claimed", title="The event was used for another account"):
    """The outside event (a payment, a referral) has already granted credits to another account."""

    source_key: str
    claimed_by: str
    message = "source_key: '{source_key}' was used for account '{claimed_by}'. An event grants once."

"""Usage credits for AI products: the public interface of Sixpence.

    async with CreditService("sqlite:///credits.db") as credits:
        await credits.initialize_user_credits("user_1")
        receipt = await credits.consume_credit("user_1", "interior")
        print(receipt.remaining)

A name is imported from its place when it is first used, so that `import sixpence` costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sixpence.core.catalog.catalog import (
        DEFAULT_CATALOG,
        Catalog,
        FairUse,
        Feature,
        Plan,
        Rollover,
        Tier,
        TokenRates,
        Trial,
    )
    from sixpence.core.catalog.price import Usage
    from sixpence.core.errors import (
        AccountBusyError,
        BrokenLedgerError,
        CatalogError,
        CheckpointNotFoundError,
        CheckpointRefusedError,
        CreditSystemError,
        DatabaseSetupError,
        DatabaseUnavailableError,
        InternalError,
        InvalidInputError,
        OutcomeUnknownError,
        QueueFullError,
        RefusedError,
        ServiceClosedError,
        TransactionEndedError,
        UnavailableError,
    )
    from sixpence.core.proof.checkpoint import Checkpoint
    from sixpence.core.refusals import (
        AccountClosedError,
        AccountFrozenError,
        AccountNotFoundError,
        AdjustLimitError,
        BalanceLimitError,
        FairUseError,
        GrantEndedError,
        GrantLimitError,
        GrantNotFoundError,
        GrantPeriodError,
        HoldEndedError,
        HoldNotFoundError,
        IdempotencyConflictError,
        InsufficientCreditsError,
        NotRefundableError,
        RefundLimitError,
        SourceClaimedError,
        TransactionNotFoundError,
        TrialRefusedError,
        UnknownFeatureError,
        UnknownPlanError,
        UnpricedUsageError,
    )
    from sixpence.ledger.checkpoints.signing import SigningKey
    from sixpence.ledger.relay.relay import Relay
    from sixpence.service.blocking import SyncCreditService
    from sixpence.service.catalog_file import read_catalog
    from sixpence.service.credits import CreditService
    from sixpence.service.names import CREDIT_CONSTANTS, FeatureType, SubscriptionStatus
    from sixpence.service.operations.usage import CreditUsage, DayUsage
    from sixpence.service.results.estimates import CreditEstimate, PastPrices
    from sixpence.service.results.receipts import (
        AccountStatus,
        CapturedHold,
        ExtendedHold,
        OpenedAccount,
        PlacedHold,
        PlanStatus,
        Receipt,
        Refund,
        ReleasedHold,
        VoidedGrant,
    )
    from sixpence.service.results.results import (
        CreditCheck,
        CreditHistory,
        CreditHold,
        CreditTransaction,
        GivenGrant,
        PlanTerm,
    )
    from sixpence.service.results.statements import (
        BalanceExplanation,
        CreditStatement,
        PastBalance,
        StatementEntry,
        TransactionExplanation,
    )
    from sixpence.service.results.user_credits import CreditGrant, FairUseStatus, UserCredits, WaitingPlan

__version__ = "0.1.0"

__all__ = [
    "CREDIT_CONSTANTS",
    "DEFAULT_CATALOG",
    "AccountBusyError",
    "AccountClosedError",
    "AccountFrozenError",
    "AccountNotFoundError",
    "AccountStatus",
    "AdjustLimitError",
    "BalanceExplanation",
    "BalanceLimitError",
    "BrokenLedgerError",
    "CapturedHold",
    "Catalog",
    "CatalogError",
    "Checkpoint",
    "CheckpointNotFoundError",
    "CheckpointRefusedError",
    "CreditCheck",
    "CreditEstimate",
    "CreditGrant",
    "CreditHistory",
    "CreditHold",
    "CreditService",
    "CreditStatement",
    "CreditSystemError",
    "CreditTransaction",
    "CreditUsage",
    "DatabaseSetupError",
    "DatabaseUnavailableError",
    "DayUsage",
    "ExtendedHold",
    "FairUse",
    "FairUseError",
    "FairUseStatus",
    "Feature",
    "FeatureType",
    "GivenGrant",
    "GrantEndedError",
    "GrantLimitError",
    "GrantNotFoundError",
    "GrantPeriodError",
    "HoldEndedError",
    "HoldNotFoundError",
    "IdempotencyConflictError",
    "InsufficientCreditsError",
    "InternalError",
    "InvalidInputError",
    "NotRefundableError",
    "OpenedAccount",
    "OutcomeUnknownError",
    "PastBalance",
    "PastPrices",
    "PlacedHold",
    "Plan",
    "PlanStatus",
    "PlanTerm",
    "QueueFullError",
    "Receipt",
    "Refund",
    "RefundLimitError",
    "RefusedError",
    "Relay",
    "ReleasedHold",
    "Rollover",
    "ServiceClosedError",
    "SigningKey",
    "SourceClaimedError",
    "StatementEntry",
    "SubscriptionStatus",
    "SyncCreditService",
    "Tier",
    "TokenRates",
    "TransactionEndedError",
    "TransactionExplanation",
    "TransactionNotFoundError",
    "Trial",
    "TrialRefusedError",
    "UnavailableError",
    "UnknownFeatureError",
    "UnknownPlanError",
    "UnpricedUsageError",
    "Usage",
    "UserCredits",
    "VoidedGrant",
    "WaitingPlan",
    "read_catalog",
]

_PLACES = {
    "sixpence.core.catalog.catalog": (
        "DEFAULT_CATALOG",
        "Catalog",
        "FairUse",
        "Feature",
        "Plan",
        "Rollover",
        "Tier",
        "TokenRates",
        "Trial",
    ),
    "sixpence.core.proof.checkpoint": ("Checkpoint",),
    "sixpence.core.errors": (
        "AccountBusyError",
        "BrokenLedgerError",
        "CatalogError",
        "CheckpointNotFoundError",
        "CheckpointRefusedError",
        "CreditSystemError",
        "DatabaseSetupError",
        "DatabaseUnavailableError",
        "InternalError",
        "InvalidInputError",
        "OutcomeUnknownError",
        "QueueFullError",
        "RefusedError",
        "ServiceClosedError",
        "TransactionEndedError",
        "UnavailableError",
    ),
    "sixpence.core.catalog.price": ("Usage",),
    "sixpence.core.refusals": (
        "AccountClosedError",
        "AccountFrozenError",
        "AccountNotFoundError",
        "AdjustLimitError",
        "BalanceLimitError",
        "FairUseError",
        "GrantEndedError",
        "GrantLimitError",
        "GrantNotFoundError",
        "GrantPeriodError",
        "HoldEndedError",
        "HoldNotFoundError",
        "IdempotencyConflictError",
        "InsufficientCreditsError",
        "NotRefundableError",
        "RefundLimitError",
        "SourceClaimedError",
        "TransactionNotFoundError",
        "TrialRefusedError",
        "UnknownFeatureError",
        "UnknownPlanError",
        "UnpricedUsageError",
    ),
    "sixpence.ledger.relay.relay": ("Relay",),
    "sixpence.ledger.checkpoints.signing": ("SigningKey",),
    "sixpence.service.results.results": (
        "CreditCheck",
        "CreditHistory",
        "CreditHold",
        "CreditTransaction",
        "GivenGrant",
        "PlanTerm",
    ),
    "sixpence.service.blocking": ("SyncCreditService",),
    "sixpence.service.catalog_file": ("read_catalog",),
    "sixpence.service.credits": ("CreditService",),
    "sixpence.service.results.estimates": (
        "CreditEstimate",
        "PastPrices",
    ),
    "sixpence.service.names": (
        "CREDIT_CONSTANTS",
        "FeatureType",
        "SubscriptionStatus",
    ),
    "sixpence.service.results.receipts": (
        "AccountStatus",
        "CapturedHold",
        "ExtendedHold",
        "OpenedAccount",
        "PlacedHold",
        "PlanStatus",
        "Receipt",
        "Refund",
        "ReleasedHold",
        "VoidedGrant",
    ),
    "sixpence.service.results.statements": (
        "BalanceExplanation",
        "CreditStatement",
        "PastBalance",
        "StatementEntry",
        "TransactionExplanation",
    ),
    "sixpence.service.operations.usage": (
        "CreditUsage",
        "DayUsage",
    ),
    "sixpence.service.results.user_credits": (
        "CreditGrant",
        "FairUseStatus",
        "UserCredits",
        "WaitingPlan",
    ),
}
_PLACE_OF = {name: place for place, names in _PLACES.items() for name in names}


def __getattr__(name: str) -> Any:
    """The public name, from the module that defines it."""
    if name not in _PLACE_OF:
        raise AttributeError(f"module 'sixpence' has no attribute '{name}'")
    value = getattr(import_module(_PLACE_OF[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """What `from sixpence import ...` offers."""
    return sorted((*globals(), *__all__))

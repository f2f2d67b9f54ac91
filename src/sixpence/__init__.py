"""Usage credits for AI products: the public interface of Sixpence.

async with CreditService("sqlite:///credits.db") as credits:
    await credits.initialize_user_credits("user_1")
    receipt = await credits.consume_credit("user_1", "interior")
    print(receipt.remaining)
"""

from sixpence.core.catalog import DEFAULT_CATALOG, Catalog, Feature, Plan
from sixpence.core.errors import (
    AccountBusyError,
    AccountNotFoundError,
    BalanceLimitError,
    BrokenLedgerError,
    CatalogError,
    CreditSystemError,
    DatabaseSetupError,
    DatabaseUnavailableError,
    GrantLimitError,
    GrantPeriodError,
    IdempotencyConflictError,
    InsufficientCreditsError,
    InternalError,
    InvalidInputError,
    OutcomeUnknownError,
    QueueFullError,
    RefusedError,
    ServiceClosedError,
    TransactionNotFoundError,
    UnavailableError,
    UnknownFeatureError,
    UnknownPlanError,
)
from sixpence.service.answers import (
    CreditCheck,
    CreditHistory,
    CreditTransaction,
    OpenedAccount,
    PlanStatus,
    Receipt,
    UserCredits,
)
from sixpence.service.blocking import SyncCreditService
from sixpence.service.catalog_file import read_catalog
from sixpence.service.credits import CreditService
from sixpence.service.names import CREDIT_CONSTANTS, FeatureType, SubscriptionStatus

__version__ = "0.1.0"

__all__ = [
    "CREDIT_CONSTANTS",
    "DEFAULT_CATALOG",
    "AccountBusyError",
    "AccountNotFoundError",
    "BalanceLimitError",
    "BrokenLedgerError",
    "Catalog",
    "CatalogError",
    "CreditCheck",
    "CreditHistory",
    "CreditService",
    "CreditSystemError",
    "CreditTransaction",
    "DatabaseSetupError",
    "DatabaseUnavailableError",
    "Feature",
    "FeatureType",
    "GrantLimitError",
    "GrantPeriodError",
    "IdempotencyConflictError",
    "InsufficientCreditsError",
    "InternalError",
    "InvalidInputError",
    "OpenedAccount",
    "OutcomeUnknownError",
    "Plan",
    "PlanStatus",
    "QueueFullError",
    "Receipt",
    "RefusedError",
    "ServiceClosedError",
    "SubscriptionStatus",
    "SyncCreditService",
    "TransactionNotFoundError",
    "UnavailableError",
    "UnknownFeatureError",
    "UnknownPlanError",
    "UserCredits",
    "read_catalog",
]

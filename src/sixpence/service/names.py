"""The original's names for the default catalog's features and plans, and its constants.

They are for code that was written for the original. Every method takes any name of the current catalog.
"""

from enum import StrEnum
from types import MappingProxyType
from typing import Any

from sixpence.core.catalog.catalog import DEFAULT_CATALOG


class FeatureType(StrEnum):
    """The features of the default catalog."""

    INTERIOR = "interior"
    EXTERIOR = "exterior"
    SKETCH = "sketch"
    FURNISH = "furnish"
    REMOVE = "remove"
    VIDEO = "video"


class SubscriptionStatus(StrEnum):
    """The plans of the default catalog."""

    FREE = "free"
    PRO = "pro"


CREDIT_CONSTANTS: MappingProxyType[str, Any] = MappingProxyType(
    {
        "INITIAL_CREDITS": DEFAULT_CATALOG.plans[DEFAULT_CATALOG.default_plan].signup_credits,
        "CREDITS_PER_GENERATION": 1,
        "FEATURE_COSTS": MappingProxyType({name: entry.credits for name, entry in DEFAULT_CATALOG.features.items()}),
        "UNLIMITED_PLANS": tuple(name for name, plan in DEFAULT_CATALOG.plans.items() if plan.unlimited),
    }
)

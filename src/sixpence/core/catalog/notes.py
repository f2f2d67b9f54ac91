"""Notes on a valid catalog: settings that have no effect as it is.

Not here: problems, which make a catalog invalid (`validation`).
"""

from collections.abc import Iterator

from sixpence.core.catalog.catalog import Catalog


def list_notes(catalog: Catalog) -> Iterator[str]:
    """Yield a sentence for each setting without effect: the setting, its value, and what to do."""
    for name, plan in catalog.plans.items():
        if plan.signup_credits and name != catalog.default_plan:
            yield (
                f"plans.{name}.signup_credits: these {plan.signup_credits} credits never arrive, since every account "
                f"is made on {catalog.default_plan}. Give them as an allowance with a period, or make {name} the "
                "default_plan."
            )

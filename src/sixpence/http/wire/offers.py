"""Offers to an account that ran out of credits: the plans above the default one."""

from typing import Any

from sixpence.core.catalog.catalog import Catalog


def offers_of(catalog: Catalog) -> list[dict[str, Any]]:
    """The plans that rank above the default one, lowest first."""
    least = catalog.plans[catalog.default_plan].rank
    better = sorted((plan.rank, name) for name, plan in catalog.plans.items() if plan.rank > least)
    return [
        {
            "plan": name,
            "title": catalog.plans[name].title or name.capitalize(),
            "unlimited": catalog.plans[name].unlimited,
        }
        for _, name in better
    ]

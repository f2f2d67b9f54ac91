"""Which catalog prices: the first applied stays until another is applied, and each batch takes the one in force."""

from collections.abc import Callable

import msgspec
import pytest
from sqlalchemy import Connection

from sixpence.core.catalog import DEFAULT_CATALOG, Catalog, Feature, Plan, PricedBy
from sixpence.core.errors import InsufficientCreditsError, UnknownFeatureError, UnknownPlanError
from sixpence.ledger import catalogs
from sixpence.ledger.ledger import Ledger
from sixpence.service.credits import CreditService
from tests.ledger.databases import proved, rows

ADA = "ada@example.com"
DEAR = Catalog(features={"film": Feature(5)}, plans={"basic": Plan(signup_credits=7)}, default_plan="basic")


def applying(catalog: Catalog) -> Callable[[Connection], PricedBy]:
    """A job that makes the catalog the one in force."""
    return lambda connection: catalogs.apply(connection, catalog, now=1)


async def test_the_first_applied_stays(url: str) -> None:
    """A service that brings another catalog to a database that has one uses the database's."""
    async with CreditService(url, catalog=DEAR) as first, CreditService(url) as second:
        first_sees = await first.get_catalog()
        second_sees = await second.get_catalog()
        opened = await second.initialize_user_credits(ADA)

    assert first_sees == second_sees == PricedBy(1, DEAR)
    assert (opened.subscription_status, opened.remaining) == ("basic", 7)
    assert rows(url, "SELECT version, digest FROM catalog_versions") == [(1, DEAR.digest())]


async def test_a_new_version_prices_from_its_batch_on(url: str) -> None:
    """A change of price holds for the next use, in a service that was open before; each row names its version."""
    dearer = msgspec.structs.replace(DEFAULT_CATALOG, features={**DEFAULT_CATALOG.features, "video": Feature(4)})
    ledger = Ledger(url)
    async with CreditService(ledger) as service, CreditService(url) as other:
        await service.initialize_user_credits(ADA)
        await service.consume_credit(ADA, "video")
        await other.get_catalog()
        applied = await ledger.write(applying(dearer))

        second = await other.consume_credit(ADA, "video")
        with pytest.raises(InsufficientCreditsError) as refused:
            await service.consume_credit(ADA, "video")
        check = await other.validate_credit_usage(ADA, "video")

    assert (applied.version, second.transaction.credits_consumed, refused.value.required) == (2, 4, 4)
    assert (check.required, check.allowed) == (4, False)
    details = [detail for (detail,) in rows(url, "SELECT detail FROM credit_transactions ORDER BY seq")]
    assert ["catalog_version" in detail for detail in details] == [True] * 3
    assert details[1:] == ['{"price":1,"catalog_version":1}', '{"price":4,"catalog_version":2}']
    proved(url)


async def test_the_catalog_in_force_is_not_applied_again(url: str) -> None:
    """Applying what is in force makes no version; applying an older one again makes a new one."""
    ledger = Ledger(url)
    async with CreditService(ledger) as service:
        versions = [
            (await ledger.write(applying(catalog))).version
            for catalog in (DEFAULT_CATALOG, DEAR, DEAR, DEFAULT_CATALOG)
        ]
        current = await service.get_catalog()

    assert (versions, current) == ([1, 2, 2, 3], PricedBy(3, DEFAULT_CATALOG))


async def test_a_plan_and_a_feature_that_left_the_catalog(url: str) -> None:
    """An account whose plan is gone keeps its credits and is told which plans there are."""
    ledger = Ledger(url)
    async with CreditService(ledger) as service:
        await service.initialize_user_credits(ADA)
        await ledger.write(applying(DEAR))

        with pytest.raises(UnknownFeatureError):
            await service.consume_credit(ADA, "video")
        with pytest.raises(UnknownPlanError) as refused:
            await service.consume_credit(ADA, "film")
        with pytest.raises(UnknownPlanError):
            await service.validate_credit_usage(ADA, "film")
        credits = await service.get_user_credits(ADA)
        await service.update_subscription_status(ADA, "basic")
        receipt = await service.consume_credit(ADA, "film")

    assert (refused.value, credits.remaining, receipt.remaining) == (UnknownPlanError("free", ("basic",)), 6, 1)
    proved(url)


async def test_a_free_feature_and_a_plan_without_a_gift(url: str) -> None:
    """A price of 0 is paid from nothing, and is on record; an account without signup credits is an account."""
    free = Catalog(features={"peek": Feature(0)}, plans={"none": Plan()}, default_plan="none")
    async with CreditService(url, catalog=free) as service:
        opened = await service.initialize_user_credits(ADA)
        receipt = await service.consume_credit(ADA, "peek")

    assert (opened.created, opened.remaining, opened.version) == (True, 0, 1)
    assert (receipt.transaction.credits_consumed, receipt.transaction.amount, receipt.version) == (0, 0, 2)
    proved(url)

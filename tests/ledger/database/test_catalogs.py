"""The catalog in force: the first one applied stays until another is applied, and each batch reads it."""

from collections.abc import Callable
from contextlib import closing

import msgspec
import pytest
from sqlalchemy import Connection

from sixpence.core.catalog.catalog import DEFAULT_CATALOG, Catalog, Feature, Plan, PricedBy
from sixpence.core.errors import CatalogError, DatabaseSetupError
from sixpence.core.refusals import InsufficientCreditsError, UnknownFeatureError, UnknownPlanError
from sixpence.ledger.database import catalogs
from sixpence.ledger.database.catalogs import CatalogCache
from sixpence.ledger.database.engines import SQLiteFile, parse_database_url
from sixpence.ledger.ledger import Ledger
from sixpence.ledger.postgres.store import PostgresStore
from sixpence.ledger.sqlite.store import SQLiteStore
from sixpence.ledger.writer.store import BatchNeeds, Store
from sixpence.service.credits import CreditService
from tests.ledger.databases import rows, run, verify_clean
from tests.ledger.moved_clock import MovedClock

ADA = "ada@example.com"
DEAR = Catalog(features={"film": Feature(5)}, plans={"basic": Plan(signup_credits=7)}, default_plan="basic")

BAD = CatalogError(
    (
        "features.film.credits: 0.5 is not a whole number from 0 to 9007199254740991.",
        "plans.basic.overdraft: -1 is not a whole number from 0 to 9007199254740991.",
        "default_plan: 'nope' is not one of the plans (basic).",
    )
)


def applying(catalog: Catalog, *, now: int = 1) -> Callable[[Connection], PricedBy]:
    """A job that applies the catalog."""
    return lambda connection: catalogs.apply(connection, catalog, now=now)


async def test_first_applied_catalog_stays_in_force(url: str, clock: MovedClock) -> None:
    """A service with another catalog uses the database's."""
    brought = CreditService(Ledger(url, catalog=DEAR, clock=clock))
    async with brought as first, CreditService(url) as second:
        first_sees = await first.get_catalog()
        second_sees = await second.get_catalog()
        opened = await second.initialize_user_credits(ADA)

    assert first_sees == second_sees == PricedBy(1, DEAR, clock())
    assert (opened.subscription_status, opened.remaining) == ("basic", 7)
    assert rows(url, "SELECT version, digest FROM catalog_versions") == [(1, DEAR.digest())]


async def test_new_version_prices_the_next_batch(url: str) -> None:
    """A new price holds for the next use, in a service that was open before; each row names its version."""
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
    verify_clean(url)


async def test_applying_the_catalog_in_force_adds_no_version(url: str, clock: MovedClock) -> None:
    """Applying an older one again adds a new version."""
    ledger = Ledger(url, clock=clock)
    async with CreditService(ledger) as service:
        versions = [
            (await ledger.write(applying(catalog, now=clock() + number))).version
            for number, catalog in enumerate((DEFAULT_CATALOG, DEAR, DEAR, DEFAULT_CATALOG))
        ]
        current = await service.get_catalog()

    earlier = (PricedBy(1, DEFAULT_CATALOG, clock()), PricedBy(2, DEAR, clock() + 1))
    assert (versions, current) == ([1, 2, 2, 3], PricedBy(3, DEFAULT_CATALOG, clock() + 3, earlier))


async def test_version_is_never_applied_before_the_previous_one(url: str, clock: MovedClock) -> None:
    """After the clock was set back a version has the previous one's time."""
    ledger = Ledger(url, clock=clock)
    async with CreditService(ledger) as service:
        await service.get_catalog()

        applied = await ledger.write(applying(DEAR, now=clock() - 1))

    assert applied == PricedBy(2, DEAR, clock())


async def test_batch_sees_all_applied_versions(url: str, clock: MovedClock) -> None:
    """The writer's next batch has the new catalog and the earlier ones, oldest first, each by itself."""
    ledger = Ledger(url, clock=clock)
    place = parse_database_url(url)
    store: Store = SQLiteStore(place.path) if isinstance(place, SQLiteFile) else PostgresStore(place.conninfo)
    with closing(store):
        async with CreditService(ledger) as service:
            await service.get_catalog()
            seen = [_loaded(store)]
            for seconds, catalog in enumerate((DEAR, DEFAULT_CATALOG, DEAR), 1):
                await ledger.write(applying(catalog, now=clock() + seconds))
                if seconds != 2:
                    seen.append(_loaded(store))
            in_force = await service.get_catalog()

    first, second, third = (
        PricedBy(number, catalog, clock() + number - 1)
        for number, catalog in enumerate((DEFAULT_CATALOG, DEAR, DEFAULT_CATALOG), 1)
    )
    last = PricedBy(4, DEAR, clock() + 3, (first, second, third))
    assert seen == [first, msgspec.structs.replace(second, earlier=(first,)), last]
    assert in_force == last


def test_version_is_read_once() -> None:
    """Only new versions are read, and none without a version."""
    cache = CatalogCache()
    read_ranges: list[tuple[int, int]] = []

    def read_versions(above: int, up_to: int) -> list[tuple[int, int, str]]:
        read_ranges.append((above, up_to))
        return [(number, 10 * number, DEAR.document()) for number in range(above + 1, up_to + 1)]

    seen = [cache.current(version, read_versions) for version in (2, 2, 4, 4, 1)]

    assert read_ranges == [(0, 2), (2, 4), (0, 1)]
    assert [(one.version, [earlier.version for earlier in one.earlier]) for one in seen] == [
        (2, [1]),
        (2, [1]),
        (4, [1, 2, 3]),
        (4, [1, 2, 3]),
        (1, []),
    ]
    assert len({id(one.catalog) for one in seen}) == 1


@pytest.mark.parametrize("version", [None, 3])
def test_missing_version_is_refused(version: int | None) -> None:
    """A database without a catalog, or without the version it names, is refused with a remedy."""
    cache = CatalogCache()

    with pytest.raises(DatabaseSetupError):
        cache.current(version, lambda _above, _up_to: [])


async def test_account_keeps_credits_of_a_removed_plan(url: str) -> None:
    """An account on a removed plan keeps its credits, and a refusal names the plans."""
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
    verify_clean(url)


async def test_free_feature_and_plan_without_signup_credits(url: str) -> None:
    """A price of 0 is charged without credits, and has a row; an account without signup credits exists."""
    free = Catalog(features={"peek": Feature(0)}, plans={"none": Plan()}, default_plan="none")
    async with CreditService(url, catalog=free) as service:
        opened = await service.initialize_user_credits(ADA)
        receipt = await service.consume_credit(ADA, "peek")

    assert (opened.created, opened.remaining, opened.version) == (True, 0, 1)
    assert (receipt.transaction.credits_consumed, receipt.transaction.amount, receipt.version) == (0, 0, 2)
    verify_clean(url)


async def test_invalid_catalog_is_refused_before_opening(url: str) -> None:
    """A service and a ledger name every problem at once, even if the database has a catalog."""
    bad = Catalog(features={"film": Feature(0.5)}, plans={"basic": Plan(overdraft=-1)}, default_plan="nope")  # type: ignore[arg-type]

    with pytest.raises(CatalogError) as by_service:
        CreditService(url, catalog=bad)
    with pytest.raises(CatalogError) as by_ledger:
        Ledger(url, catalog=bad)
    async with CreditService(url) as service:
        opened = await service.get_catalog()

    assert by_service.value == by_ledger.value == BAD
    assert opened.catalog == DEFAULT_CATALOG


@pytest.mark.parametrize("first", [True, False], ids=["the first", "another"])
def test_invalid_catalog_is_not_applied(url: str, first: bool) -> None:
    """It is refused with every problem at once, and the catalog in force stays."""
    bad = Catalog(features={"film": Feature(0.5)}, plans={"basic": Plan(overdraft=-1)}, default_plan="nope")  # type: ignore[arg-type]
    apply = catalogs.apply_first if first else catalogs.apply

    with closing(Ledger(url)) as ledger, pytest.raises(CatalogError) as refused:
        ledger.write_and_wait(lambda connection: apply(connection, bad, now=1))

    assert refused.value == BAD
    assert rows(url, "SELECT version, digest FROM catalog_versions") == [(1, DEFAULT_CATALOG.digest())]


async def test_unreadable_version_is_refused_with_a_remedy(url: str) -> None:
    """Writer and readers name the remedy; without its row the previous version is in force again."""
    spoilt = "INSERT INTO catalog_versions (version, digest, document, applied_at) VALUES (2, 'd', :document, 1)"
    document = DEFAULT_CATALOG.document().replace('"signup_credits":6', '"signup_credits":0.5')
    service = CreditService(url)
    await service.initialize_user_credits(ADA)
    run(url, spoilt, {"document": document})

    with pytest.raises(DatabaseSetupError) as reading:
        await service.get_catalog()
    with pytest.raises(DatabaseSetupError) as using:
        await service.consume_credit(ADA, "video")
    with pytest.raises(DatabaseSetupError) as applying_another:
        await service.ledger.write(applying(DEAR))
    await service.close()
    with pytest.raises(DatabaseSetupError) as opening:
        await CreditService(url).get_catalog()
    run(url, "DELETE FROM catalog_versions WHERE version = 2")
    async with CreditService(url) as again:
        receipt = await again.consume_credit(ADA, "video")

    assert reading.value == using.value == applying_another.value == opening.value
    assert reading.value == DatabaseSetupError(
        "Catalog version 2 cannot be read: Expected `int`, got `float` - at `$.plans[...].signup_credits`.",
        "Put its row of the table catalog_versions back from a backup; if no transaction names it, delete it.",
    )
    assert receipt.remaining == 5
    verify_clean(url)


def _loaded(store: Store) -> PricedBy:
    """The catalog that a batch of an unknown account loads."""
    priced_by = store.load(BatchNeeds(())).priced_by
    store.roll_back()
    return priced_by

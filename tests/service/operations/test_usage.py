"""`get_usage`: which days it has, up to when it is complete, and what it refuses."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from sixpence.core.errors import InvalidInputError
from sixpence.core.refusals import AccountNotFoundError
from sixpence.ledger.ledger import Ledger
from sixpence.ledger.relay.relay import Relay
from sixpence.service.blocking import SyncCreditService
from sixpence.service.credits import CreditService
from sixpence.service.operations.usage import DayUsage
from tests.ledger.databases import Database, snapshot
from tests.ledger.moved_clock import START, MovedClock
from tests.ledger.relay.usage_by_hand import read_all, until

ADA = "ada@example.com"
TODAY = START.date()


async def test_usage_has_features_by_day_newest_first(credits: CreditService, url: Database, clock: MovedClock) -> None:
    """It has each feature of each day, the newest day first; days without uses are omitted."""
    await credits.initialize_user_credits(ADA)
    await credits.initialize_user_credits("bob@example.com")
    first = await credits.consume_credit(ADA, "video")
    await credits.consume_credit(ADA, "interior")
    await credits.consume_credit("bob@example.com", "sketch")
    clock.move(days=2)
    await credits.consume_credit(ADA, "video")
    await credits.refund(ADA, first.transaction.id)
    await read_all(Relay(credits.ledger), url)

    usage = await credits.get_usage(ADA)

    later = TODAY + timedelta(days=2)
    assert usage.days == [
        DayUsage(day=later, feature="video", uses=1, credits_consumed=1, credits_refunded=1),
        DayUsage(day=TODAY, feature="interior", uses=1, credits_consumed=1, credits_refunded=0),
        DayUsage(day=TODAY, feature="video", uses=1, credits_consumed=1, credits_refunded=0),
    ]
    assert (usage.account_id, usage.since, usage.until) == (
        ADA,
        later - timedelta(days=29),
        later + timedelta(days=1),
    )


async def test_usage_has_days_from_since_up_to_until(credits: CreditService, url: Database, clock: MovedClock) -> None:
    """It has the days from `since` up to `until`, which is excluded; thirty days if one of them is left out."""
    await credits.initialize_user_credits(ADA)
    for _ in range(3):
        await credits.consume_credit(ADA, "video")
        clock.move(days=1)
    await read_all(Relay(credits.ledger), url)
    day, now = timedelta(days=1), TODAY + timedelta(days=3)

    periods: list[dict[str, date]] = [
        {"since": TODAY, "until": TODAY + day},
        {"since": TODAY + day},
        {"until": TODAY + 2 * day},
        {"since": now - 366 * day, "until": now},
        {"since": now, "until": now + day},
    ]
    shown = [await credits.get_usage(ADA, **dates) for dates in periods]

    assert [[(each.day - TODAY).days for each in usage.days] for usage in shown] == [[0], [2, 1], [1, 0], [2, 1, 0], []]
    assert [(usage.since, usage.until) for usage in shown[1:3]] == [
        (TODAY + day, now + day),
        (TODAY - 28 * day, TODAY + 2 * day),
    ]


async def test_complete_until(credits: CreditService, url: Database, clock: MovedClock) -> None:
    """It is complete up to the oldest change that no relay has read, or up to now."""
    await credits.initialize_user_credits(ADA)
    clock.move(seconds=5)
    await credits.consume_credit(ADA, "video")
    clock.move(seconds=5)
    nothing_read = await credits.get_usage(ADA)
    await read_all(Relay(credits.ledger), url)
    clock.move(seconds=5)
    await credits.consume_credit(ADA, "video")
    clock.move(seconds=5)
    some_read = await credits.get_usage(ADA)
    await read_all(Relay(credits.ledger), url)

    with SyncCreditService(Ledger(url, clock=clock)) as reader:
        # On PostgreSQL any running transaction delays it for a moment.
        await until(lambda: reader.get_usage(ADA).complete_until == clock.moment)
        all_read = reader.get_usage(ADA)

    assert (nothing_read.days, nothing_read.complete_until) == ([], START)
    assert (some_read.days[0].uses, some_read.complete_until) == (1, START + timedelta(seconds=15))
    assert all_read.days[0].uses == 2


async def test_get_usage_changes_nothing(credits: CreditService, url: Database) -> None:
    """It writes no row, no version and no outbox entry."""
    await credits.initialize_user_credits(ADA)
    before = snapshot(url)

    await credits.get_usage(ADA)

    assert snapshot(url) == before


@pytest.mark.parametrize(
    ("dates", "field", "problem"),
    [
        ({"since": "2026-03-01"}, "since", "'2026-03-01' is not a date. Send one like datetime.date(2026, 11, 1)."),
        (
            {"until": datetime(2026, 3, 1, tzinfo=UTC)},
            "until",
            "datetime.datetime(2026, 3, 1, 0, 0, tzinfo=datetime.timez... is not a date. "
            "Send one like datetime.date(2026, 11, 1).",
        ),
        ({"since": date(1969, 12, 31)}, "since", "1969-12-31 is out of range. Send a day from 1970 on."),
        (
            {"since": date(2026, 3, 1), "until": date(2026, 3, 1)},
            "since",
            "2026-03-01 is not before until, 2026-03-01, which is left out. Send an earlier day.",
        ),
        (
            {"since": date(2026, 3, 2)},
            "since",
            "2026-03-02 is not before until, 2026-03-02, which is left out. Send an earlier day.",
        ),
        (
            {"since": date(2025, 2, 28)},
            "since",
            "2025-02-28 is 367 days before until, 2026-03-02. Send 366 days at most.",
        ),
    ],
)
async def test_invalid_days_are_refused(
    credits: CreditService, dates: dict[str, Any], field: str, problem: str
) -> None:
    """Other values than dates, empty periods and more than a year are refused with the field's name."""
    await credits.initialize_user_credits(ADA)

    with pytest.raises(InvalidInputError) as refused:
        await credits.get_usage(ADA, **dates)

    assert (refused.value.field, refused.value.problem) == (field, problem)


async def test_unknown_account_is_refused(credits: CreditService) -> None:
    """An unknown account is refused with its id."""
    with pytest.raises(AccountNotFoundError) as refused:
        await credits.get_usage("nobody")

    assert refused.value.account_id == "nobody"

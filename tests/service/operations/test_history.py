"""Past balances, statements and explanations, over every database."""

from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from sixpence.core.errors import InvalidInputError
from sixpence.core.refusals import AccountNotFoundError, TransactionNotFoundError
from sixpence.service.blocking import SyncCreditService
from sixpence.service.credits import CreditService
from sixpence.service.results.results import Balance
from sixpence.service.results.statements import CreditStatement, PastBalance, StatementEntry
from tests.ledger.databases import Database, verify_clean
from tests.ledger.moved_clock import START, MovedClock

ADA = "ada@example.com"
SECOND, HOUR, DAY = timedelta(seconds=1), timedelta(hours=1), timedelta(days=1)
MICROSECOND = timedelta(microseconds=1)


@pytest.fixture
async def ada(priced: CreditService, clock: MovedClock) -> CreditService:
    """Two days after Ada's account was made: a promo grant an hour later, a use after two, and a hold that is open."""
    await priced.initialize_user_credits(ADA)
    clock.move(hours=1)
    await priced.grant_credits(ADA, 10, category="promo", expires_at=START + 30 * HOUR, reason="welcome")
    clock.move(hours=1)
    await priced.consume_credit(ADA, "render", units=15, generation_id="gen 1")
    clock.move(hours=22)
    await priced.place_hold(ADA, "draw", amount=2, ttl_seconds=7 * 86_400)
    clock.move(days=1)
    return priced


async def test_balance_at_has_balance_and_transaction(ada: CreditService) -> None:
    """It has the balance after everything up to the instant, and the transaction that made it."""
    had = await ada.balance_at(ADA, START + 5 * HOUR)

    use = (await ada.get_credit_history(ADA, kind="consume")).transactions[0]
    assert had == PastBalance(
        account_id=ADA,
        subscription_status="free",
        remaining=12,
        total=16,
        held=0,
        version=3,
        at=START + 5 * HOUR,
        transaction_id=use.id,
        changed_at=START + 2 * HOUR,
    )


@pytest.mark.parametrize(
    ("at", "version", "remaining"),
    [
        (START - MICROSECOND, 0, 0),
        (START, 1, 6),
        (START + HOUR - MICROSECOND, 1, 6),
        (START + HOUR, 2, 16),
        (START + 2 * HOUR, 3, 12),
        (START + 24 * HOUR, 4, 10),
        # The promo grant ended without a read. At that very instant it is over.
        (START + 30 * HOUR - MICROSECOND, 4, 10),
        (START + 30 * HOUR, 5, 6),
        (START + 48 * HOUR, 5, 6),
    ],
)
async def test_balance_at_includes_transactions_and_expiries_of_instant(
    ada: CreditService, at: datetime, version: int, remaining: int
) -> None:
    """An instant includes the transactions at it, and everything due by it."""
    had = await ada.balance_at(ADA, at)

    assert (had.version, had.remaining) == (version, remaining)


async def test_balance_before_first_transaction_is_zero(ada: CreditService) -> None:
    """Before its first transaction an account had nothing, at version 0 and without a plan."""
    had = await ada.balance_at(ADA, START - DAY)

    assert had == PastBalance(
        account_id=ADA,
        subscription_status="",
        remaining=0,
        total=0,
        held=0,
        version=0,
        at=START - DAY,
        transaction_id=None,
        changed_at=None,
    )


async def test_balance_at_defaults_to_now(ada: CreditService, clock: MovedClock) -> None:
    """Without an instant it is the current balance."""
    past, now = await ada.balance_at(ADA), await ada.get_user_credits(ADA)

    assert (past.at, past.version, past.remaining, past.held) == (
        clock.moment,
        now.version,
        now.remaining,
        now.held,
    )


async def test_future_instants_are_refused(ada: CreditService, clock: MovedClock) -> None:
    """The refusal has the field, the value, the current time, and what to do."""
    with pytest.raises(InvalidInputError) as refused:
        await ada.balance_at(ADA, clock.moment + MICROSECOND)
    with pytest.raises(InvalidInputError) as refused_too:
        await ada.get_statement(ADA, until=clock.moment + SECOND)

    assert str(refused.value) == (
        "at: 2026-03-03T12:00:00.000001Z is in the future: it is 2026-03-03T12:00:00.000000Z. "
        "Send an earlier time, or leave it out for the balance now."
    )
    assert str(refused_too.value) == (
        "until: 2026-03-03T12:00:01.000000Z is in the future: it is 2026-03-03T12:00:00.000000Z. "
        "Send an earlier time, or leave it out for all up to now."
    )


async def test_times_without_zone_are_refused(ada: CreditService) -> None:
    """A time without a zone is ambiguous."""
    for field, ask in (
        ("at", ada.balance_at(ADA, datetime(2026, 3, 1))),  # noqa: DTZ001 - this is refused
        ("since", ada.get_statement(ADA, since=datetime(2026, 3, 1))),  # noqa: DTZ001
    ):
        with pytest.raises(InvalidInputError) as refused:
            await ask
        assert refused.value.field == field


async def test_statement_has_opening_movements_and_closing(ada: CreditService) -> None:
    """It has the balance right before it, each movement with its balance, and the balance right before its end."""
    since, until = START + HOUR, START + 24 * HOUR

    statement = await ada.get_statement(ADA, since=since, until=until)

    grant, use = (await ada.get_credit_history(ADA, since=since, until=until)).transactions[::-1]
    nothing_sent: dict[str, Any] = {
        "feature_used": None,
        "credits_consumed": None,
        "generation_id": None,
        "reason": None,
    }
    assert statement == CreditStatement(
        account_id=ADA,
        since=since,
        until=until,
        opening=Balance(account_id=ADA, subscription_status="free", remaining=6, total=6, held=0, version=1),
        movements=(
            StatementEntry(
                seq=2,
                id=grant.id,
                kind="grant",
                created_at=START + HOUR,
                amount=10,
                balance_after=16,
                total_after=16,
                held_after=0,
                subscription_status="free",
                actor=None,
                about=None,
                **{**nothing_sent, "reason": "welcome"},
            ),
            StatementEntry(
                seq=3,
                id=use.id,
                kind="consume",
                created_at=START + 2 * HOUR,
                amount=-4,
                balance_after=12,
                total_after=16,
                held_after=0,
                subscription_status="free",
                actor=None,
                about=None,
                **{**nothing_sent, "feature_used": "render", "credits_consumed": 4, "generation_id": "gen 1"},
            ),
        ),
        closing=Balance(account_id=ADA, subscription_status="free", remaining=12, total=16, held=0, version=3),
        proof=None,
    )


async def test_consecutive_statements_join(ada: CreditService) -> None:
    """Each closing balance is the next opening balance, and each movement is in one statement."""
    cuts = [START - DAY, START, START + HOUR, START + 2 * HOUR + SECOND, START + 30 * HOUR, START + 48 * HOUR]

    parts = [await ada.get_statement(ADA, since=a, until=b) for a, b in pairwise(cuts)]

    assert [one.closing for one in parts[:-1]] == [one.opening for one in parts[1:]]
    assert [move.seq for one in parts for move in one.movements] == [1, 2, 3, 4, 5]
    for one in parts:
        assert one.opening.remaining + sum(move.amount for move in one.movements) == one.closing.remaining


async def test_statement_defaults_to_last_thirty_days(ada: CreditService, clock: MovedClock) -> None:
    """By default it ends now and includes transactions of this very instant."""
    clock.move(days=28, seconds=1)
    before = await ada.get_statement(ADA)
    await ada.grant_credits(ADA, 1)

    after = await ada.get_statement(ADA)

    assert (before.since, before.until) == (clock.moment - 30 * DAY, clock.moment)
    assert (before.opening.version, [move.kind for move in before.movements]) == (
        1,
        ["grant", "consume", "hold", "expire", "hold_expire"],
    )
    assert after.until == clock.moment + MICROSECOND
    assert after.movements[-1].kind == "grant"
    assert await ada.get_statement(ADA, until=after.until) == after


async def test_empty_and_reversed_periods_are_refused(ada: CreditService) -> None:
    """A period that ends before it begins is refused, and so is an empty one."""
    for since in (START + HOUR, START + 2 * HOUR):
        with pytest.raises(InvalidInputError) as refused:
            await ada.get_statement(ADA, since=since, until=START + HOUR)
        assert refused.value.field == "since"

    assert refused.value.problem == (
        "2026-03-01T14:00:00.000000Z is not before until, 2026-03-01T13:00:00.000000Z, which is left out. "
        "Send an earlier time."
    )


async def test_statement_streams_as_text_and_csv(ada: CreditService) -> None:
    """Both forms have the same statement, in chunks."""
    period: dict[str, Any] = {"since": START, "until": START + 24 * HOUR}

    text = "".join([chunk async for chunk in ada.stream_statement(ADA, **period)])
    table = "".join([chunk async for chunk in ada.stream_statement(ADA, **period, form="csv")])

    assert [line[20:57].strip() for line in text.splitlines()[5:10]] == [
        "opening balance",
        "account opened on plan free",
        "credits granted: welcome",
        "used render",
        "closing balance",
    ]
    assert [line.split(",")[2:5] for line in table.splitlines()[1:]] == [
        ["opening", "", "0"],
        ["signup", "6", "6"],
        ["grant", "10", "16"],
        ["consume", "-4", "12"],
        ["closing", "", "12"],
    ]


async def test_unknown_form_is_refused(ada: CreditService) -> None:
    """The refusal lists the known forms."""
    with pytest.raises(InvalidInputError) as refused:
        await anext(ada.stream_statement(ADA, form="pdf"))

    assert str(refused.value) == "form: 'pdf' is not one of text, csv."


async def test_explain_transaction(ada: CreditService, clock: MovedClock) -> None:
    """It has the arithmetic by the catalog at that time, the grants that paid, and later refunds."""
    (use,) = (await ada.get_credit_history(ADA, kind="consume")).transactions
    await ada.refund(ADA, use.id, amount=1, reason="one second was black")

    explanation = await ada.explain_transaction(ADA, use.id)

    assert (
        explanation.words[0] == f"2026-03-01 14:00:00 UTC, transaction 3 of {ADA}: render was used and cost 4 credits."
    )
    assert explanation.words[2] == "Price: 15 seconds = 2 blocks of 10, rounded up; 2 blocks x 2 credits = 4."
    assert explanation.words[-1].endswith("refund of render, 1 credit: balance +1 (one second was black)")
    assert [(move.category, move.amount) for move in explanation.moves] == [("promo", -4)]
    assert (explanation.left_to_refund, [later.kind for later in explanation.since]) == (3, ["refund"])


async def test_explain_account(ada: CreditService) -> None:
    """It explains the balance with everything due applied."""
    explanation = await ada.explain_account(ADA)

    assert explanation.words[:4] == (
        f"{ADA} has 6 credits to spend (plan free, version 5).",
        "12 given and neither expired nor cancelled - 4 used and not refunded - 2 held = 6.",
        "By grants: 6 signup = 6.",
        "Held for running work: 2; the first hold ends by 2026-03-09 12:00:00 UTC.",
    )
    assert [later.kind for later in explanation.latest] == ["expire", "hold", "consume"]


async def test_unknown_account_and_transaction_are_refused(ada: CreditService) -> None:
    """Every read of the past refuses an unknown account or transaction."""
    for ask in (
        ada.balance_at("nobody"),
        ada.get_statement("nobody"),
        anext(ada.stream_statement("nobody")),
        ada.explain_account("nobody"),
        ada.explain_transaction("nobody", "id"),
    ):
        with pytest.raises(AccountNotFoundError):
            await ask
    with pytest.raises(TransactionNotFoundError):
        await ada.explain_transaction(ADA, "id")


def test_sync_service_streams_and_raises_alike(url: Database) -> None:
    """Chunks come one after another for threads, too, and a refusal comes with the first."""
    with SyncCreditService(url) as credits:
        credits.initialize_user_credits(ADA)
        use = credits.consume_credit(ADA, "video").transaction

        text = "".join(credits.stream_statement(ADA))
        refused = credits.stream_statement("nobody")
        with pytest.raises(AccountNotFoundError):
            next(refused)

        assert text.endswith("0 + 5 = 5 credits, in 2 movements.\n")
        assert credits.balance_at(ADA).remaining == credits.get_statement(ADA).closing.remaining == 5
        assert credits.explain_account(ADA).version == credits.explain_transaction(ADA, use.id).seq == 2
    verify_clean(url)


async def test_captured_uses_show_their_price(credits: CreditService) -> None:
    """The statement, the explanation of the account and that of the hold name what a use from a hold cost."""
    await credits.initialize_user_credits(ADA)
    hold = await credits.place_hold(ADA, "video")
    await credits.capture_hold(ADA, hold.hold_id)
    await credits.grant_credits(ADA, 2, reason="outage", actor="olga@example.com")

    text = "".join([piece async for piece in credits.stream_statement(ADA)])
    account = (await credits.explain_account(ADA)).words
    placed = (await credits.explain_transaction(ADA, hold.hold_id)).words

    used = "used video: 1 credit, set aside earlier"
    # The statement's column is a little narrower than the label.
    place = next(place for place, line in enumerate(text.splitlines()) if "used video" in line)
    first, rest = text.splitlines()[place : place + 2]
    assert (first[20:].split(), rest.strip()) == (
        ["used", "video:", "1", "credit,", "set", "aside", "0", "5"],
        "earlier",
    )
    assert [line[26:] for line in account[-3:]] == [
        "credits granted (outage): +2, balance 7",
        f"{used}, balance 5",
        "set aside for video: -1, balance 5",
    ]
    assert placed[-1].endswith(f"UTC {used}")
    assert not any("olga" in line for line in account)

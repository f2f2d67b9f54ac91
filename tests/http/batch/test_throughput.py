"""How much of a batch is under way at once: bounded by who reads its answers, the writer's queue and who is there."""

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette

from sixpence.http.batch.route import batch_routes
from sixpence.http.batch.runner import IN_FLIGHT_MAX
from sixpence.settings import Settings
from sixpence.wiring import wire
from tests.http.batch.batching import Line, batch, body_of, conversation, open_rich, use
from tests.http.house import House, opened_house
from tests.ledger.databases import consumed, proved, rows

SETTLED_SECONDS = 0.3


async def settled(look: Callable[[], int], *, at_least: int = 0) -> int:
    """A number once it is as much as it has to be and has stopped growing."""
    before = -1
    while (now := look()) != before or now < at_least:
        before = now
        await asyncio.sleep(SETTLED_SECONDS)
    return before


@pytest.mark.slow
async def test_who_reads_no_answers_holds_up_what_is_read(sqlite_url: str, tmp_path: Path) -> None:
    """As long as answers are not taken, a bounded part of the batch is taken in and done; then it goes on."""
    async with opened_house(sqlite_url, tmp_path, body_bytes_max=16_384) as house:
        shop = await house.server()
        await open_rich(shop, "slow")
        line = use("slow", metadata={"a": "x" * 200})
        async with conversation(house.app, shop) as talk:
            talk.reads.clear()
            for _ in range(80):
                talk.say(*[line] * 100)
            talk.end()

            done = await settled(lambda: consumed(sqlite_url, "slow"), at_least=IN_FLIGHT_MAX)
            taken = await settled(lambda: talk.taken_bytes)
            talk.reads.set()
            answers = [await talk.hear() for _ in range(8_000)]

        size = len(body_of([line]))
        assert done == IN_FLIGHT_MAX
        # What was begun, what waits to be (a little more than a line may be long), and the piece that came last.
        assert taken <= size * IN_FLIGHT_MAX + 16_384 + 2 * 100 * size
        assert [(answer["index"], answer["status"]) for answer in answers] == [(n, 200) for n in range(8_000)]
        assert consumed(sqlite_url, "slow") == 8_000
    proved(sqlite_url)


async def test_a_client_that_goes_away(house: House, shop: httpx.AsyncClient) -> None:
    """What was begun is finished, the rest is not begun, and the server has done with it at once."""
    await open_rich(shop, "left")

    async with conversation(house.app, shop) as talk:
        talk.reads.clear()
        talk.say(*[use("left") for _ in range(4_000)])
        talk.end()
        await settled(lambda: consumed(house.url, "left"), at_least=IN_FLIGHT_MAX)
        talk.go_away()

    assert consumed(house.url, "left") == IN_FLIGHT_MAX


async def test_a_client_that_goes_away_in_the_middle_of_a_line(house: House, shop: httpx.AsyncClient) -> None:
    """Half a line is done in no way; the lines before it are."""
    await open_rich(shop, "broke off")

    async with conversation(house.app, shop) as talk:
        talk.say(use("broke off"))
        await talk.hear()
        talk.say(body_of([use("broke off")]).rstrip(b"}\n"))
        talk.go_away()

    assert consumed(house.url, "broke off") == 1


async def test_a_full_queue_is_waited_for(sqlite_url: str, tmp_path: Path) -> None:
    """Where the writer's queue has room for three, a batch of hundreds is done all the same, in order."""
    accounts = ["full a", "full b"]
    async with opened_house(sqlite_url, tmp_path, queue_size_max=3, batch_size_max=2) as house:
        shop = await house.server()
        for account_id in accounts:
            await open_rich(shop, account_id)
        lines = [use(accounts[number % 2], generation_id=str(number)) for number in range(300)]

        answers = await batch(shop, lines)

        assert {answer["status"] for answer in answers} == {200}
        query = "SELECT generation_id FROM credit_transactions WHERE account_id = :id AND kind = 'consume' ORDER BY seq"
        for place, account_id in enumerate(accounts):
            done = [row[0] for row in rows(house.url, query, {"id": account_id})]
            assert done == [str(number) for number in range(place, 300, 2)]
    proved(sqlite_url)


async def test_payments_wait_for_a_full_queue_too(sqlite_url: str, tmp_path: Path) -> None:
    """Grants with source keys are many at once, each before the next line of its account."""
    async with opened_house(sqlite_url, tmp_path, queue_size_max=2, batch_size_max=1) as house:
        shop = await house.server()
        lines: list[Line] = []
        for number in range(40):
            lines.append({"op": "ensure", "account_id": f"p{number}"})
        for number in range(40):
            paid = {"amount": 44, "reason": "paid", "source_key": f"invoice {number}"}
            lines.append({"op": "grant", "account_id": f"p{number}", **paid})
            lines.append({"op": "place_hold", "account_id": f"p{number}", "feature": "video", "amount": 50})

        answers = await batch(shop, lines)

        assert [answer["status"] for answer in answers] == [201] * 40 + [200] * 80
    proved(sqlite_url)


async def test_a_queue_that_stays_full_is_a_503(sqlite_url: str, tmp_path: Path) -> None:
    """After some seconds a line is answered as a single request is at once; the next one is tried anew."""
    async with opened_house(sqlite_url, tmp_path, queue_size_max=1, batch_size_max=1) as house:
        shop = await house.server()
        path = await open_rich(shop, "stuck")

        with closing(sqlite3.connect(sqlite_url.removeprefix("sqlite:///"))) as elsewhere:
            elsewhere.execute("BEGIN IMMEDIATE")
            before = []
            for _ in ("with the writer", "in the queue"):
                before.append(asyncio.create_task(_use(shop, path)))
                await asyncio.sleep(0.2)
            async with conversation(house.app, shop) as talk:
                talk.say(use("stuck"), use("stuck"))
                talk.end()
                refused = await talk.hear()
                elsewhere.rollback()
                done = await talk.hear()
        single = await asyncio.gather(*before)

        assert (refused["status"], refused["code"], refused["retry_after_seconds"]) == (503, "overloaded", 1)
        assert done["status"] == 200
        assert [answer.status_code for answer in single] == [200, 200]
        assert consumed(sqlite_url, "stuck") == 3
    proved(sqlite_url)


async def test_what_was_late_does_not_come_again(sqlite_url: str, tmp_path: Path) -> None:
    """A line that had its place and waited too long is a 503: done after all, it would follow a later one."""
    async with opened_house(sqlite_url, tmp_path, wait_seconds_max=0.05, batch_size_max=1) as house:
        shop = await house.server()
        await open_rich(shop, "late")

        answers = await batch(shop, [use("late", generation_id=str(number)) for number in range(600)])

        done = [answer["generation_id"] for answer in answers if answer["status"] == 200]
        late = [answer["code"] for answer in answers if answer["status"] == 503]
        assert (set(late), len(done) + len(late)) == ({"overloaded"}, 600)
        query = (
            "SELECT generation_id FROM credit_transactions WHERE account_id = 'late' AND kind = 'consume' ORDER BY seq"
        )
        assert [row[0] for row in rows(sqlite_url, query)] == done
    proved(sqlite_url)


async def test_lines_wait_while_the_server_is_overloaded(sqlite_url: str, tmp_path: Path) -> None:
    """Where a single request is refused at once, a line is begun when that is over; a bad line is told all the same."""
    overloaded = asyncio.Event()
    parts = wire(Settings.read({}, home=tmp_path, database_url=sqlite_url))
    await parts.credits.initialize_user_credits("patient")
    key = await parts.api_keys.create_key(name="shop", created_by="tests")
    routes = batch_routes(
        parts.credits,
        parts.callers,
        upgrade_url="/upgrade",
        is_overloaded=overloaded.is_set,
        body_bytes_max=1_024,
        batch_bytes_max=1_024,
    )

    overloaded.set()
    shop = httpx.AsyncClient(headers={"authorization": f"Bearer {key.text}"})
    async with conversation(Starlette(routes=routes), shop) as talk:
        talk.say(use("patient"), b"{", use("patient"))
        talk.end()
        before = await settled(lambda: consumed(sqlite_url, "patient"))
        overloaded.clear()
        answers = [await talk.hear() for _ in range(3)]
    await parts.credits.close()

    assert (before, [answer["status"] for answer in answers]) == (0, [200, 400, 200])
    assert consumed(sqlite_url, "patient") == 2
    proved(sqlite_url)


async def _use(shop: httpx.AsyncClient, path: str) -> httpx.Response:
    return await shop.post(f"{path}/consume", json={"feature": "video"})

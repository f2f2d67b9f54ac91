"""Checkpoints over HTTP: servers read them, the command line has them made, and nobody else does either."""

import httpx
import pytest

from sixpence.core.proof.checkpoint import read_checkpoint
from sixpence.ledger.checkpoints.signing import is_signed
from tests.http.house import House, open_account


async def test_a_server_reads_the_newest_and_any_other(own_house: House) -> None:
    """As the very document that was signed, with the key of the home folder."""
    shop, operator = await own_house.server(), own_house.local_operator()
    await open_account(shop, "team 7")
    first = await operator.post("/api/admin/checkpoint")
    second = await operator.post("/api/admin/checkpoint")

    newest = await shop.get("/v1/checkpoint")
    named = await shop.get("/v1/checkpoint?number=1")

    assert (first.status_code, newest.json(), named.json()) == (201, second.json(), first.json())
    read = read_checkpoint(newest.content)
    assert read.fault(is_signed) is None
    assert (await operator.get("/api/admin/checkpoint/key")).json() == {"public_key": read.public_key}
    assert (await operator.get("/api/admin/checkpoint")).json() == second.json()


async def test_before_the_first_there_is_none(own_house: House) -> None:
    """It is a 404 that says how one is made."""
    shop = await own_house.server()

    none_yet, no_such = await shop.get("/v1/checkpoint"), await shop.get("/v1/checkpoint?number=9")

    assert (none_yet.status_code, no_such.status_code) == (404, 404)
    assert none_yet.json() == {
        "type": "about:blank",
        "code": "checkpoint-not-found",
        "title": "No such checkpoint",
        "status": 404,
        "detail": "There is no checkpoint yet. Make one: sixpence checkpoint.",
        "number": None,
    }


@pytest.mark.parametrize("number", ["0", "-1", "first", "", "1" * 16])
async def test_what_is_no_number_is_refused(own_house: House, number: str) -> None:
    """By the parameter's name."""
    shop = await own_house.server()

    refused = await shop.get("/v1/checkpoint", params={"number": number})

    assert (refused.status_code, refused.json()["field"]) == (422, "number")


async def test_who_may_not_does_not(own_house: House) -> None:
    """Nobody without a key reads one, and nobody but an operator has one made or asks for the key."""
    stranger, shop, ada = own_house.client(), await own_house.server(), await own_house.user()

    answers: list[httpx.Response] = [
        await stranger.get("/v1/checkpoint"),
        await shop.post("/api/admin/checkpoint"),
        await ada.post("/api/admin/checkpoint"),
        await ada.get("/api/admin/checkpoint"),
        await ada.get("/api/admin/checkpoint/key"),
    ]

    assert [answer.status_code for answer in answers] == [401, 401, 403, 403, 403]
    made = await own_house.local_operator().post("/api/admin/checkpoint")
    assert made.json()["number"] == 1

"""Checkpoints over HTTP: servers read them, operators read and make them, other callers are refused."""

import httpx
import pytest

from sixpence.core.proof.checkpoint import read_checkpoint
from sixpence.ledger.checkpoints.signing import is_signed
from tests.http.installation import Installation, open_account


async def test_read_newest_and_numbered_checkpoint(own_installation: Installation) -> None:
    """A checkpoint is the document that was signed with the key of the home folder."""
    shop, operator = await own_installation.server(), own_installation.local_operator()
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


async def test_unknown_checkpoint_is_404(own_installation: Installation) -> None:
    """The problem names the command that makes the first checkpoint."""
    shop = await own_installation.server()

    missing, unknown = await shop.get("/v1/checkpoint"), await shop.get("/v1/checkpoint?number=9")

    assert (missing.status_code, unknown.status_code) == (404, 404)
    assert missing.json() == {
        "type": "about:blank",
        "code": "checkpoint-not-found",
        "title": "No such checkpoint",
        "status": 404,
        "detail": "There is no checkpoint yet. Make one: sixpence checkpoint.",
        "number": None,
    }


@pytest.mark.parametrize("number", ["0", "-1", "first", "", "1" * 16])
async def test_invalid_number_is_refused(own_installation: Installation, number: str) -> None:
    """The problem names the parameter."""
    shop = await own_installation.server()

    refused = await shop.get("/v1/checkpoint", params={"number": number})

    assert (refused.status_code, refused.json()["field"]) == (422, "number")


async def test_other_callers_are_refused(own_installation: Installation) -> None:
    """Reading a checkpoint needs an API key; making one, and reading the public key, needs an operator."""
    stranger, shop, ada = own_installation.client(), await own_installation.server(), await own_installation.user()

    answers: list[httpx.Response] = [
        await stranger.get("/v1/checkpoint"),
        await shop.post("/api/admin/checkpoint"),
        await ada.post("/api/admin/checkpoint"),
        await ada.get("/api/admin/checkpoint"),
        await ada.get("/api/admin/checkpoint/key"),
    ]

    assert [answer.status_code for answer in answers] == [401, 401, 403, 403, 403]
    made = await own_installation.local_operator().post("/api/admin/checkpoint")
    assert made.json()["number"] == 1

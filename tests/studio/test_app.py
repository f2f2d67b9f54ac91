"""Orders from the first to the last: generated, charged, refused, paid for by an upgrade, over a real server."""

import io
import uuid
from typing import Any

import pytest
from PIL import Image

from tests.studio.served import ROOM, Customer, StudioServer

PROBLEM = "application/problem+json"


def test_a_generation_is_charged_and_handed_out(customer: Customer) -> None:
    """An order answers with the two pictures' addresses, what it cost and the balance after it."""
    generation_id = str(uuid.uuid4())

    answer = customer.order(generation_id)

    path = f"/studio/generations/{generation_id}"
    body = answer.json()
    assert answer.status_code == 200
    assert body == {
        "generation_id": generation_id,
        "feature": "sketch",
        "media_type": "image/jpeg",
        "before_url": f"{path}/before",
        "after_url": f"{path}/after",
        "subscription_status": "free",
        "unlimited": False,
        "created_at": body["created_at"],
        "credits_consumed": 1,
        "remaining": 5,
        "total": 6,
        "version": 3,
    }
    assert customer.uses == [generation_id]


def test_both_pictures_can_be_fetched(customer: Customer) -> None:
    """The original and the result are pictures of the same size, for their owner's browser alone to keep."""
    body = customer.order().json()

    before, after = (customer.client.get(body[side]) for side in ("before_url", "after_url"))

    sizes = [Image.open(io.BytesIO(picture.content)).size for picture in (before, after)]
    assert sizes == [(120, 90), (120, 90)]
    for picture in (before, after):
        assert picture.headers["content-type"] == "image/jpeg"
        assert picture.headers["cache-control"].startswith("private, ")
        assert picture.headers["vary"] == "Cookie"


def test_a_sample_room_needs_no_upload(customer: Customer) -> None:
    """The name of a sample stands in for a picture."""
    answer = customer.order(picture=None, room="house", feature="sketch")

    after = customer.client.get(answer.json()["after_url"])
    assert Image.open(io.BytesIO(after.content)).size == (1200, 800)


def test_six_credits_then_an_upgrade(customer: Customer) -> None:
    """Six generations are paid for, the seventh is refused with an offer, and after the checkout it costs nothing."""
    paid = [customer.order().json()["remaining"] for _ in range(6)]
    refused = customer.order()
    plan = customer.client.post("/studio/checkout", json={"plan": refused.json()["offers"][0]["plan"]})
    free = customer.order().json()

    assert paid == [5, 4, 3, 2, 1, 0]
    problem = refused.json()
    assert (refused.status_code, refused.headers["content-type"]) == (402, PROBLEM)
    assert (problem["code"], problem["feature"], problem["required"]) == ("insufficient-credits", "sketch", 1)
    assert (problem["remaining"], problem["shortfall"], problem["offers"][0]["plan"]) == (0, 1, "pro")
    assert (plan.status_code, plan.json()["subscription_status"], plan.json()["unlimited"]) == (200, "pro", True)
    assert (free["credits_consumed"], free["remaining"], free["unlimited"]) == (0, 0, True)


def test_without_credits_no_work_is_begun(moody_customer: Customer) -> None:
    """At zero an order that would never end is refused at once."""
    moody_customer.spend(6)

    answer = moody_customer.order(options='{"mood": "endless"}')

    assert (answer.status_code, answer.json()["code"]) == (402, "insufficient-credits")


@pytest.mark.parametrize(
    "picture",
    [b"", b"hello", ROOM[: len(ROOM) // 2], b"GIF89a" + bytes(100), b"<svg xmlns='http://www.w3.org/2000/svg'/>"],
    ids=["empty", "text", "cut off", "GIF", "SVG"],
)
def test_a_broken_upload_costs_nothing(customer: Customer, picture: bytes) -> None:
    """What is no picture is refused by its field, and nothing is charged or kept."""
    answer = customer.order(picture=picture)

    assert (answer.status_code, answer.headers["content-type"]) == (422, PROBLEM)
    assert (answer.json()["code"], answer.json()["field"]) == ("invalid-input", "picture")
    assert (customer.remaining, customer.uses, customer.gallery) == (6, [], [])


def test_the_gallery_shows_what_was_paid_for(customer: Customer) -> None:
    """The list holds each generation, newest first."""
    made = [customer.order().json() for _ in range(3)]

    gallery = customer.gallery

    shown = ("generation_id", "feature", "media_type", "before_url", "after_url", "credits_consumed", "created_at")
    assert gallery == [{name: each[name] for name in shown} for each in reversed(made)]


def test_nobody_sees_another_users_pictures(studio: StudioServer, customer: Customer) -> None:
    """To another user they are not there, and to nobody at all while nobody is signed in."""
    body = customer.order().json()
    stranger = studio.customer()

    seen = [stranger.client.get(body[side]).status_code for side in ("before_url", "after_url")]

    assert (seen, stranger.gallery) == ([404, 404], [])
    assert studio.client().get(body["after_url"]).status_code == 401


@pytest.mark.parametrize("end", ["before/x", "order", "generation.json", "../x/before", "%2e%2e/before"])
def test_only_two_pictures_have_an_address(customer: Customer, end: str) -> None:
    """No other file of a generation, and nothing beside it, can be asked for."""
    generation_id = customer.order().json()["generation_id"]

    answer = customer.client.get(f"/studio/generations/{generation_id}/{end}")

    assert answer.status_code == 404


def test_the_ledger_knows_what_was_made(customer: Customer) -> None:
    """The charge carries the order: the picture's source and the options as they were sent."""
    customer.order(picture=None, room="house", options='{"technique": "ink"}')

    rows: list[dict[str, Any]] = customer.client.get("/api/user/credits/history").json()["transactions"]
    metadata = rows[0]["metadata"]
    assert (metadata["picture"], metadata["options"], len(metadata["order"])) == ("house", {"technique": "ink"}, 64)

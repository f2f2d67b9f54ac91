"""Orders over a real server: generated, charged, refused, and free after an upgrade."""

import io
import uuid
from typing import Any

import pytest
from PIL import Image

from tests.studio.served import ROOM, Customer, StudioServer

PROBLEM = "application/problem+json"


def test_generation_is_charged_and_answered(customer: Customer) -> None:
    """The answer has the two pictures' URLs, the charge and the balance after it."""
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


def test_original_and_result_can_be_fetched(customer: Customer) -> None:
    """The original and the result have the same size, and only their owner's browser may cache them."""
    body = customer.order().json()

    before, after = (customer.client.get(body[side]) for side in ("before_url", "after_url"))

    sizes = [Image.open(io.BytesIO(picture.content)).size for picture in (before, after)]
    assert sizes == [(120, 90), (120, 90)]
    for picture in (before, after):
        assert picture.headers["content-type"] == "image/jpeg"
        assert picture.headers["cache-control"].startswith("private, ")
        assert picture.headers["vary"] == "Cookie"


def test_sample_room_needs_no_upload(customer: Customer) -> None:
    """The name of a sample room replaces an upload."""
    answer = customer.order(picture=None, room="house", feature="sketch")

    after = customer.client.get(answer.json()["after_url"])
    assert Image.open(io.BytesIO(after.content)).size == (1200, 800)


def test_seventh_generation_is_refused_until_upgrade(customer: Customer) -> None:
    """Six generations are charged, the seventh is refused with an offer, and after the checkout it is free."""
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


def test_no_job_starts_without_credits(mirror_customer: Customer) -> None:
    """Without credits, an order that would never finish is refused at once."""
    mirror_customer.spend(6)

    answer = mirror_customer.order(options='{"behaviour": "endless"}')

    assert (answer.status_code, answer.json()["code"]) == (402, "insufficient-credits")


@pytest.mark.parametrize(
    "picture",
    [b"", b"hello", ROOM[: len(ROOM) // 2], b"GIF89a" + bytes(100), b"<svg xmlns='http://www.w3.org/2000/svg'/>"],
    ids=["empty", "text", "cut off", "GIF", "SVG"],
)
def test_broken_upload_costs_nothing(customer: Customer, picture: bytes) -> None:
    """An upload that is not a picture is refused with its field's name; nothing is charged or stored."""
    answer = customer.order(picture=picture)

    assert (answer.status_code, answer.headers["content-type"]) == (422, PROBLEM)
    assert (answer.json()["code"], answer.json()["field"]) == ("invalid-input", "picture")
    assert (customer.remaining, customer.uses, customer.gallery) == (6, [], [])


def test_gallery_lists_paid_generations(customer: Customer) -> None:
    """The list has each generation, newest first."""
    made = [customer.order().json() for _ in range(3)]

    gallery = customer.gallery

    shown = ("generation_id", "feature", "media_type", "before_url", "after_url", "credits_consumed", "created_at")
    assert gallery == [{name: each[name] for name in shown} for each in reversed(made)]


def test_another_user_cannot_see_pictures(studio: StudioServer, customer: Customer) -> None:
    """Another user gets a 404, and a request without a session a 401."""
    body = customer.order().json()
    stranger = studio.customer()

    seen = [stranger.client.get(body[side]).status_code for side in ("before_url", "after_url")]

    assert (seen, stranger.gallery) == ([404, 404], [])
    assert studio.client().get(body["after_url"]).status_code == 401


@pytest.mark.parametrize("end", ["before/x", "order", "generation.json", "../x/before", "%2e%2e/before"])
def test_only_original_and_result_have_a_url(customer: Customer, end: str) -> None:
    """No other file of a generation, and no file beside it, can be requested."""
    generation_id = customer.order().json()["generation_id"]

    answer = customer.client.get(f"/studio/generations/{generation_id}/{end}")

    assert answer.status_code == 404


def test_charge_records_the_order(customer: Customer) -> None:
    """The charge's metadata has the picture's source and the options as sent."""
    customer.order(picture=None, room="house", options='{"technique": "ink"}')

    rows: list[dict[str, Any]] = customer.client.get("/api/user/credits/history").json()["transactions"]
    metadata = rows[0]["metadata"]
    assert (metadata["picture"], metadata["options"], len(metadata["order"])) == ("house", {"technique": "ink"}, 64)

"""Retried orders, concurrent orders, and orders for the last credit: one charge for one picture."""

import uuid

import pytest

from tests.studio.generators.pictures import file_of, gradient
from tests.studio.served import Customer, StudioServer

SLOW = '{"behaviour": "slow"}'
OTHER_ROOM = file_of(gradient(size=(130, 90)))


def test_retried_order_is_not_charged_again(customer: Customer) -> None:
    """A retried order gets the first answer, byte for byte, marked as replayed."""
    generation_id = str(uuid.uuid4())

    first, second = customer.order(generation_id), customer.order(generation_id)

    assert (first.status_code, second.status_code, second.content) == (200, 200, first.content)
    assert (first.headers.get("idempotency-replayed"), second.headers["idempotency-replayed"]) == (None, "true")
    assert (customer.remaining, customer.uses, len(customer.gallery)) == (5, [generation_id], 1)


def test_concurrent_equal_orders_are_charged_once(mirror_customer: Customer) -> None:
    """The second waits for the first and gets the same picture."""
    generation_id = str(uuid.uuid4())

    answers = mirror_customer.orders([{"generation_id": generation_id, "options": SLOW}] * 2)

    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].content == answers[1].content
    assert (mirror_customer.remaining, mirror_customer.uses) == (5, [generation_id])


@pytest.mark.parametrize(
    "other",
    [
        {"picture": OTHER_ROOM},
        {"picture": None, "room": "house"},
        {"options": '{"technique": "ink"}'},
        {"feature": "interior"},
    ],
    ids=["picture", "room", "option", "feature"],
)
def test_generation_id_of_another_order_is_refused(customer: Customer, other: dict[str, str]) -> None:
    """An id belongs to its first order; the refusal changes nothing."""
    generation_id = str(uuid.uuid4())
    first = customer.order(generation_id).json()

    answer = customer.order(generation_id, **other)  # type: ignore[arg-type]

    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency-conflict")
    assert (customer.remaining, customer.uses, len(customer.gallery)) == (5, [generation_id], 1)
    assert customer.order(generation_id).json() == first


def test_two_users_can_use_the_same_generation_id(studio: StudioServer, customer: Customer) -> None:
    """Generation ids are scoped to the account."""
    other = studio.customer()
    generation_id = str(uuid.uuid4())

    answers = [each.order(generation_id).status_code for each in (customer, other)]

    assert answers == [200, 200]
    assert (customer.remaining, other.remaining) == (5, 5)


def test_concurrent_orders_for_the_last_credit(mirror_studio: StudioServer, mirror_customer: Customer) -> None:
    """One is made, charged and answered; the others are refused before any work, with a 402 or a 429."""
    mirror_customer.spend(5)
    ids = [str(uuid.uuid4()) for _ in range(3)]

    answers = mirror_customer.orders([{"generation_id": each, "options": SLOW} for each in ids])

    paid = [each for each, answer in zip(ids, answers, strict=True) if answer.status_code == 200]
    refused = sorted(answer.status_code for answer in answers if answer.status_code != 200)
    assert (len(paid), refused) in [(1, [402, 402]), (1, [402, 429])]
    assert (mirror_customer.remaining, mirror_customer.uses[5:]) == (0, paid)
    assert [each["generation_id"] for each in mirror_customer.gallery] == paid
    pictures = [mirror_customer.client.get(f"/studio/generations/{each}/after").status_code for each in ids]
    assert pictures == [200 if each in paid else 404 for each in ids]
    assert [each for each in ids if list(mirror_studio.home.glob(f"studio/*/{each}"))] == paid


def test_third_concurrent_order_is_refused(mirror_studio: StudioServer, mirror_customer: Customer) -> None:
    """The third gets a 429 with a Retry-After and costs nothing; another account's order is served."""
    other = mirror_studio.customer()

    answers = mirror_customer.orders([{"options": SLOW}] * 3)

    refused = [answer for answer in answers if answer.status_code != 200]
    assert [(answer.status_code, answer.json()["code"], answer.headers["retry-after"]) for answer in refused] == [
        (429, "too-many-requests", "2")
    ]
    assert (mirror_customer.remaining, other.order().status_code) == (4, 200)


def test_refused_order_succeeds_after_upgrade(customer: Customer) -> None:
    """A refusal is not stored: after the upgrade the same order is served."""
    customer.spend(6)
    generation_id = str(uuid.uuid4())

    refused = customer.order(generation_id)
    customer.client.post("/studio/checkout", json={"plan": "pro"})
    served = customer.order(generation_id)

    assert (refused.status_code, served.status_code) == (402, 200)

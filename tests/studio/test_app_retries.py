"""The same order again, many orders at once, and orders for the last credit: one charge for one picture."""

import uuid

import pytest

from tests.studio.generators.pictures import file_of, gradient
from tests.studio.served import Customer, StudioServer

SLOW = '{"mood": "slow"}'
OTHER_ROOM = file_of(gradient(size=(130, 90)))


def test_the_same_order_again_is_answered_and_not_charged(customer: Customer) -> None:
    """A repeated order gets the first answer, byte for byte, and says that it is a repetition."""
    generation_id = str(uuid.uuid4())

    first, second = customer.order(generation_id), customer.order(generation_id)

    assert (first.status_code, second.status_code, second.content) == (200, 200, first.content)
    assert (first.headers.get("idempotency-replayed"), second.headers["idempotency-replayed"]) == (None, "true")
    assert (customer.remaining, customer.uses, len(customer.gallery)) == (5, [generation_id], 1)


def test_the_same_order_twice_at_once_is_charged_once(moody_customer: Customer) -> None:
    """The second waits for the first and gets the same picture."""
    generation_id = str(uuid.uuid4())

    answers = moody_customer.orders([{"generation_id": generation_id, "options": SLOW}] * 2)

    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].content == answers[1].content
    assert (moody_customer.remaining, moody_customer.uses) == (5, [generation_id])


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
def test_the_same_id_for_another_order_is_refused(customer: Customer, other: dict[str, str]) -> None:
    """An id belongs to the order it first came with; the refusal changes nothing."""
    generation_id = str(uuid.uuid4())
    first = customer.order(generation_id).json()

    answer = customer.order(generation_id, **other)  # type: ignore[arg-type]

    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency-conflict")
    assert (customer.remaining, customer.uses, len(customer.gallery)) == (5, [generation_id], 1)
    assert customer.order(generation_id).json() == first


def test_the_same_id_of_two_users_is_two_orders(studio: StudioServer, customer: Customer) -> None:
    """An id is its user's own."""
    other = studio.customer()
    generation_id = str(uuid.uuid4())

    answers = [each.order(generation_id).status_code for each in (customer, other)]

    assert answers == [200, 200]
    assert (customer.remaining, other.remaining) == (5, 5)


def test_three_at_once_for_the_last_credit(moody_studio: StudioServer, moody_customer: Customer) -> None:
    """One is made, paid and handed out; the others are told before any work that there is none left, or to wait."""
    moody_customer.spend(5)
    ids = [str(uuid.uuid4()) for _ in range(3)]

    answers = moody_customer.orders([{"generation_id": each, "options": SLOW} for each in ids])

    paid = [each for each, answer in zip(ids, answers, strict=True) if answer.status_code == 200]
    refused = sorted(answer.status_code for answer in answers if answer.status_code != 200)
    assert (len(paid), refused) in [(1, [402, 402]), (1, [402, 429])]
    assert (moody_customer.remaining, moody_customer.uses[5:]) == (0, paid)
    assert [each["generation_id"] for each in moody_customer.gallery] == paid
    pictures = [moody_customer.client.get(f"/studio/generations/{each}/after").status_code for each in ids]
    assert pictures == [200 if each in paid else 404 for each in ids]
    assert [each for each in ids if list(moody_studio.home.glob(f"studio/*/{each}"))] == paid


def test_an_account_has_two_orders_on_their_way(moody_studio: StudioServer, moody_customer: Customer) -> None:
    """The third at once is told when to come back, and costs nothing; another account's is served."""
    other = moody_studio.customer()

    answers = moody_customer.orders([{"options": SLOW}] * 3)

    refused = [answer for answer in answers if answer.status_code != 200]
    assert [(answer.status_code, answer.json()["code"], answer.headers["retry-after"]) for answer in refused] == [
        (429, "too-many-requests", "2")
    ]
    assert (moody_customer.remaining, other.order().status_code) == (4, 200)


def test_a_refused_order_succeeds_when_it_can_be_paid(customer: Customer) -> None:
    """A refusal is not remembered: after the upgrade the very same order is served."""
    customer.spend(6)
    generation_id = str(uuid.uuid4())

    refused = customer.order(generation_id)
    customer.client.post("/studio/checkout", json={"plan": "pro"})
    served = customer.order(generation_id)

    assert (refused.status_code, served.status_code) == (402, 200)

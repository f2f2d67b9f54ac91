"""What goes wrong while a picture is made costs nothing: generators that fail or die, servers that are killed."""

import os
import signal
import threading
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from tests.studio.served import Customer, StudioServer, running_studio

SECONDS_MAX = 20.0


@pytest.mark.parametrize(
    ("mood", "status", "code"), [("faulty", 500, "internal-error"), ("deadly", 503, "service-unavailable")]
)
def test_a_generator_that_fails_costs_nothing(moody_customer: Customer, mood: str, status: int, code: str) -> None:
    """A defect and a death are problems that tell nothing of the inside; the next order is served."""
    answer = moody_customer.order(options=f'{{"mood": "{mood}"}}')

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert "secret" not in answer.text
    assert (moody_customer.remaining, moody_customer.uses, moody_customer.gallery) == (6, [], [])
    assert moody_customer.order().status_code == 200


def test_a_worker_that_is_killed_costs_nothing(moody_studio: StudioServer, moody_customer: Customer) -> None:
    """An order whose worker is killed gets a 503 that says when to try again, and succeeds then."""
    answers: list[httpx.Response] = []
    generation_id = str(uuid.uuid4())
    order = threading.Thread(
        target=lambda: answers.append(moody_customer.order(generation_id, options='{"mood": "endless"}'))
    )

    order.start()
    deadline = time.monotonic() + SECONDS_MAX
    while order.is_alive() and time.monotonic() < deadline:
        time.sleep(0.5)
        for pid in moody_studio.workers:
            os.kill(pid, signal.SIGKILL)
    order.join(1)

    assert [(answer.status_code, answer.headers["retry-after"]) for answer in answers] == [(503, "2")]
    assert (moody_customer.remaining, moody_customer.uses, moody_customer.gallery) == (6, [], [])
    assert moody_customer.order().status_code == 200


def test_a_worker_that_dies_unused_is_replaced(moody_studio: StudioServer, moody_customer: Customer) -> None:
    """Nobody notices the death of a worker that has nothing to do."""
    moody_customer.order()
    workers = moody_studio.workers
    for pid in workers:
        os.kill(pid, signal.SIGKILL)
    # Until the server has taken note of it: a dying process is not dead at once.
    _wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in workers))

    answers = [moody_customer.order().status_code for _ in range(2)]

    assert answers == [200, 200]


def test_workers_end_with_a_server_that_is_killed(tmp_path: Path) -> None:
    """No worker outlives its server, not even one that is at work."""
    with running_studio(tmp_path, moody=True) as studio:
        customer = studio.customer()
        order = threading.Thread(target=_order_and_lose, args=(customer,))
        order.start()
        time.sleep(1)
        workers = studio.workers

        studio.end(signal.SIGKILL)
        order.join(SECONDS_MAX)

        assert len(workers) == 2
        _wait_until(lambda: not any(map(_lives, workers)))


def test_a_browser_that_goes_away_finds_its_picture(moody_customer: Customer) -> None:
    """An order is finished though nobody waits: it hangs in the gallery, charged, and the same order brings it."""
    generation_id = str(uuid.uuid4())
    waiting = moody_customer.client.timeout
    moody_customer.client.timeout = httpx.Timeout(0.5)
    with pytest.raises(httpx.ReadTimeout):
        moody_customer.order(generation_id, options='{"mood": "slow"}')
    moody_customer.client.timeout = waiting

    again = moody_customer.order(generation_id, options='{"mood": "slow"}')

    assert (again.status_code, again.headers["idempotency-replayed"]) == (200, "true")
    assert (moody_customer.uses, len(moody_customer.gallery)) == ([generation_id], 1)


def test_a_restarted_studio_has_everything(tmp_path: Path) -> None:
    """After a kill and a restart the pictures, the charges and the answers are the same."""
    with running_studio(tmp_path) as studio:
        customer = studio.customer()
        generation_id = str(uuid.uuid4())
        first = customer.order(generation_id)

        studio.end(signal.SIGKILL)
        studio.start()

        assert customer.order(generation_id).content == first.content
        assert (customer.remaining, customer.uses, len(customer.gallery)) == (5, [generation_id], 1)


def _order_and_lose(customer: Customer) -> None:
    with pytest.raises(httpx.TransportError):
        customer.order(options='{"mood": "endless"}')


def _wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS_MAX
    while not holds() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert holds()


def _lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False

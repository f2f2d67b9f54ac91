"""Failures while a picture is made cost nothing: generators that fail or die, servers that are killed."""

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
    ("behaviour", "status", "code"), [("faulty", 500, "internal-error"), ("deadly", 503, "service-unavailable")]
)
def test_failing_generator_costs_nothing(mirror_customer: Customer, behaviour: str, status: int, code: str) -> None:
    """An exception and a killed worker are problems without internal details; the next order is served."""
    answer = mirror_customer.order(options=f'{{"behaviour": "{behaviour}"}}')

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert "secret" not in answer.text
    assert (mirror_customer.remaining, mirror_customer.uses, mirror_customer.gallery) == (6, [], [])
    assert mirror_customer.order().status_code == 200


def test_killed_worker_costs_nothing(mirror_studio: StudioServer, mirror_customer: Customer) -> None:
    """An order whose worker is killed gets a 503 with a Retry-After, and the next order succeeds."""
    answers: list[httpx.Response] = []
    generation_id = str(uuid.uuid4())
    order = threading.Thread(
        target=lambda: answers.append(mirror_customer.order(generation_id, options='{"behaviour": "endless"}'))
    )

    order.start()
    deadline = time.monotonic() + SECONDS_MAX
    while order.is_alive() and time.monotonic() < deadline:
        time.sleep(0.5)
        for pid in mirror_studio.workers:
            os.kill(pid, signal.SIGKILL)
    order.join(1)

    assert [(answer.status_code, answer.headers["retry-after"]) for answer in answers] == [(503, "2")]
    assert (mirror_customer.remaining, mirror_customer.uses, mirror_customer.gallery) == (6, [], [])
    assert mirror_customer.order().status_code == 200


def test_killed_idle_worker_is_replaced(mirror_studio: StudioServer, mirror_customer: Customer) -> None:
    """A killed idle worker does not fail the next orders."""
    mirror_customer.order()
    workers = mirror_studio.workers
    for pid in workers:
        os.kill(pid, signal.SIGKILL)
    # Wait until the server has reaped them: a killed process does not disappear at once.
    _wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in workers))

    answers = [mirror_customer.order().status_code for _ in range(2)]

    assert answers == [200, 200]


def test_workers_exit_with_killed_server(tmp_path: Path) -> None:
    """No worker outlives its server, not even a busy one."""
    with running_studio(tmp_path, mirror=True) as studio:
        customer = studio.customer()
        order = threading.Thread(target=_order_and_disconnect, args=(customer,))
        order.start()
        time.sleep(1)
        workers = studio.workers

        studio.end(signal.SIGKILL)
        order.join(SECONDS_MAX)

        assert len(workers) == 2
        _wait_until(lambda: not any(map(_is_running, workers)))


def test_disconnected_browser_finds_its_picture(mirror_customer: Customer) -> None:
    """An order is finished after its client disconnects: it is charged, in the gallery, and a retry returns it."""
    generation_id = str(uuid.uuid4())
    waiting = mirror_customer.client.timeout
    mirror_customer.client.timeout = httpx.Timeout(0.5)
    with pytest.raises(httpx.ReadTimeout):
        mirror_customer.order(generation_id, options='{"behaviour": "slow"}')
    mirror_customer.client.timeout = waiting

    again = mirror_customer.order(generation_id, options='{"behaviour": "slow"}')

    assert (again.status_code, again.headers["idempotency-replayed"]) == (200, "true")
    assert (mirror_customer.uses, len(mirror_customer.gallery)) == ([generation_id], 1)


def test_restart_after_kill_keeps_pictures_and_charges(tmp_path: Path) -> None:
    """After a kill and a restart the pictures, the charges and the answers are the same."""
    with running_studio(tmp_path) as studio:
        customer = studio.customer()
        generation_id = str(uuid.uuid4())
        first = customer.order(generation_id)

        studio.end(signal.SIGKILL)
        studio.start()

        assert customer.order(generation_id).content == first.content
        assert (customer.remaining, customer.uses, len(customer.gallery)) == (5, [generation_id], 1)


def _order_and_disconnect(customer: Customer) -> None:
    with pytest.raises(httpx.TransportError):
        customer.order(options='{"behaviour": "endless"}')


def _wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS_MAX
    while not holds() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert holds()


def _is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False

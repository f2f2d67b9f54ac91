"""The sample apps: each loses its race by its one mistake, and its twin wins, on both databases."""

import difflib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from examples.races import (
    films,
    films_fixed,
    payments,
    payments_fixed,
    pictures,
    pictures_fixed,
    sketches,
    sketches_fixed,
)
from sixpence import CreditService, SyncCreditService
from sixpence.testing.races import Call, Report, race, race_sync

pytestmark = pytest.mark.slow
ADA = "ada@example.com"
USER = {"X-User": ADA}
PICTURE = Call("POST", "/pictures", json={"prompt": "a room"}, headers=USER)
FILM = Call("POST", "/films", json={"about": "a house"}, headers=USER)
SKETCH = Call("POST", "/", json={"of": "a chair"}, headers=USER)
FAILING_SKETCH = Call("POST", "/", json={"of": "the unseen"}, headers=USER)
# Fewer calls than by default: they still show the mistakes, and the tests stay fast.
SMALL: dict[str, Any] = {"calls": 12, "account_id": ADA, "seed": 1}
# A losing race is read again until the grace time is over.
LOSING: dict[str, Any] = {**SMALL, "grace_seconds": 0.4}
PAIRS = [(films, films_fixed), (payments, payments_fixed), (pictures, pictures_fixed), (sketches, sketches_fixed)]

Make = Callable[[Any], Any]


def payment(key: str) -> Call:
    """The delivery of the payment with this id."""
    return Call("POST", "/webhooks/payments", json={"id": key, "customer": ADA, "credits": 50})


async def test_pictures_has_overspend(credits: CreditService) -> None:
    """The app checks the balance first; simultaneous calls get more pictures than credits."""
    report = await race(pictures.make_app(credits), PICTURE, ledger=credits, **LOSING)

    assert (report.kinds, {finding.wave for finding in report.findings}) == ({"overspend"}, {"at_once"})


async def test_pictures_fixed_is_clean(credits: CreditService) -> None:
    """The twin places a hold first; it is clean in every wave, including another request under a used key."""
    other = Call("POST", "/pictures", json={"prompt": "a garden"}, headers=USER)

    def another(key: str) -> Call:
        return Call("POST", "/pictures", json=other.json, headers={**USER, "Idempotency-Key": key})

    report = await race(pictures_fixed.make_app(credits), PICTURE, ledger=credits, other=another, **SMALL)

    report.check()
    assert [wave.name for wave in report.waves] == ["at_once", "same_key", "other_request", "lost_answers", "hang_ups"]


async def test_payments_has_double_grant(credits: CreditService) -> None:
    """Only the app knows the event, so simultaneous deliveries of one payment each grant credits."""
    report = await race(payments.make_app(credits), payment, ledger=credits, **LOSING)

    assert report.kinds == {"double_grant"}
    assert "same_key" in {finding.wave for finding in report.findings}


async def test_payments_fixed_is_clean(credits: CreditService) -> None:
    """The ledger knows the event."""
    report = await race(payments_fixed.make_app(credits), payment, ledger=credits, **SMALL)

    report.check()


async def test_films_has_leaked_hold(credits: CreditService) -> None:
    """Clients that hang up leave holds open."""
    report = await race(films.make_app(credits), FILM, ledger=credits, **LOSING)

    assert report.kinds == {"leaked_hold"}
    assert "hang_ups" in {finding.wave for finding in report.findings}


async def test_films_fixed_is_clean(credits: CreditService) -> None:
    """The stream releases its hold."""
    report = await race(films_fixed.make_app(credits), FILM, ledger=credits, **SMALL)

    report.check()


def test_sketches_has_lost_refund(url: str) -> None:
    """Failed sketches stay charged, in a synchronous app."""
    report = race_sketches(url, sketches.make_app, **LOSING)

    assert (report.kinds, {finding.wave for finding in report.findings}) == ({"lost_refund"}, {"failures"})


def test_sketches_fixed_is_clean(url: str) -> None:
    """The failure is refunded."""
    report = race_sketches(url, sketches_fixed.make_app, **SMALL)

    report.check()


@pytest.mark.parametrize(("app", "twin"), PAIRS, ids=lambda module: module.__name__.rpartition(".")[2])
def test_twin_differs_in_few_lines(app: Any, twin: Any) -> None:
    """The code differs in less than twenty-five lines, so that the mistake is easy to see."""
    changed = [line for line in difflib.unified_diff(read_code(app), read_code(twin), n=0) if line[:1] in "+-"]

    assert 0 < len([line for line in changed if line[:3] not in ("+++", "---")]) < 25


def race_sketches(url: str, make: Make, **settings: Any) -> Report:
    """The race of an app of sketches."""
    with SyncCreditService(url) as credits:
        return race_sync(make(credits), SKETCH, failing=FAILING_SKETCH, ledger=credits, **settings)


def read_code(module: Any) -> list[str]:
    """The lines of a module below its docstring."""
    return Path(module.__file__).read_text().split('"""\n', 1)[1].splitlines()

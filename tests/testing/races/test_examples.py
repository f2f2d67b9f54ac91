"""The sample apps: each loses its race by the very mistake it has, and its twin wins it, on both databases."""

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
UNSEEN = Call("POST", "/", json={"of": "the unseen"}, headers=USER)
# Fewer calls than one would send by hand: the mistakes show all the same, and the tests stay quick.
SMALL: dict[str, Any] = {"calls": 12, "account_id": ADA, "seed": 1}
# Whoever loses is looked at again until the grace time is over.
LOSING: dict[str, Any] = {**SMALL, "grace_seconds": 0.4}
PAIRS = [(films, films_fixed), (payments, payments_fixed), (pictures, pictures_fixed), (sketches, sketches_fixed)]

Make = Callable[[Any], Any]


def payment(key: str) -> Call:
    """The payment of this id, delivered."""
    return Call("POST", "/webhooks/payments", json={"id": key, "customer": ADA, "credits": 50})


async def test_looking_before_charging_is_an_overspend(credits: CreditService) -> None:
    """More pictures than credits, found by the calls at one moment."""
    report = await race(pictures.make_app(credits), PICTURE, ledger=credits, **LOSING)

    assert (report.kinds, {finding.wave for finding in report.findings}) == ({"overspend"}, {"at_once"})


async def test_a_credit_set_aside_first_is_none(credits: CreditService) -> None:
    """The twin is clean in every wave, another request under a used key included."""
    other = Call("POST", "/pictures", json={"prompt": "a garden"}, headers=USER)

    def another(key: str) -> Call:
        return Call("POST", "/pictures", json=other.json, headers={**USER, "Idempotency-Key": key})

    report = await race(pictures_fixed.make_app(credits), PICTURE, ledger=credits, other=another, **SMALL)

    report.check()
    assert [wave.name for wave in report.waves] == ["at_once", "same_key", "other_request", "lost_answers", "hang_ups"]


async def test_an_event_known_to_the_app_alone_is_granted_twice(credits: CreditService) -> None:
    """Deliveries of one payment at once each give its credits."""
    report = await race(payments.make_app(credits), payment, ledger=credits, **LOSING)

    assert report.kinds == {"double_grant"}
    assert "same_key" in {finding.wave for finding in report.findings}


async def test_an_event_known_to_the_ledger_is_granted_once(credits: CreditService) -> None:
    """The twin is clean."""
    report = await race(payments_fixed.make_app(credits), payment, ledger=credits, **SMALL)

    report.check()


async def test_a_stream_that_is_given_up_leaks_its_hold(credits: CreditService) -> None:
    """Clients that hang up leave holds behind."""
    report = await race(films.make_app(credits), FILM, ledger=credits, **LOSING)

    assert report.kinds == {"leaked_hold"}
    assert "hang_ups" in {finding.wave for finding in report.findings}


async def test_a_stream_that_releases_leaks_none(credits: CreditService) -> None:
    """The twin is clean."""
    report = await race(films_fixed.make_app(credits), FILM, ledger=credits, **SMALL)

    report.check()


def test_a_failure_that_stays_charged_is_a_lost_refund(url: str) -> None:
    """Sketches that fail cost their credit, on an app and a service for threads."""
    report = sketched(url, sketches.make_app, **LOSING)

    assert (report.kinds, {finding.wave for finding in report.findings}) == ({"lost_refund"}, {"failures"})


def test_a_failure_that_is_refunded_is_none(url: str) -> None:
    """The twin is clean."""
    report = sketched(url, sketches_fixed.make_app, **SMALL)

    report.check()


@pytest.mark.parametrize(("app", "twin"), PAIRS, ids=lambda module: module.__name__.rpartition(".")[2])
def test_a_twin_is_a_few_lines_away(app: Any, twin: Any) -> None:
    """What is changed in the code is less than twenty-five lines, so that the mistake can be seen."""
    changed = [line for line in difflib.unified_diff(code_of(app), code_of(twin), n=0) if line[:1] in "+-"]

    assert 0 < len([line for line in changed if line[:3] not in ("+++", "---")]) < 25


def sketched(url: str, make: Make, **settings: Any) -> Report:
    """The race of an app of sketches."""
    with SyncCreditService(url) as credits:
        return race_sync(make(credits), SKETCH, failing=UNSEEN, ledger=credits, **settings)


def code_of(module: Any) -> list[str]:
    """The lines of a module below its docstring."""
    return Path(module.__file__).read_text().split('"""\n', 1)[1].splitlines()

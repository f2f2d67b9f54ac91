"""pytest's fixtures as an app's developer meets them: installed from the wheel, in a pytest of their own."""

from pathlib import Path

import pytest

from tests.testing.programs import Pytest, link_what_is_needed

PLAIN = """
import asyncio
import pytest
from sixpence import InsufficientCreditsError

def test_threads(sync_credits, credit_account, credit_clock):
    ada = credit_account("ada@example.com", balance=2)
    sync_credits.consume_credit(ada.id, "interior")
    hold = sync_credits.place_hold(ada.id, "interior", ttl_seconds=60)
    assert (ada.remaining, ada.held) == (0, 1)
    credit_clock.move(minutes=1)
    assert (ada.remaining, ada.held) == (1, 0)

def test_event_loop(credits, credit_account):
    ada = credit_account(balance=1)
    async def use():
        await credits.consume_credit(ada.id, "interior")
        with pytest.raises(InsufficientCreditsError):
            await credits.consume_credit(ada.id, "interior")
    asyncio.run(use())
    assert ada.kinds() == ["signup", "adjust", "consume"]

def test_begins_anew(sync_credits, credit_account):
    assert credit_account("ada@example.com").remaining == 6
"""


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a base install and pytest consist of, and nothing else."""
    return link_what_is_needed(tmp_path_factory.mktemp("bare"))


@pytest.fixture
def bare_pytest(installed_wheel: Path, bare: Path, tmp_path: Path) -> Pytest:
    """pytest beside a base install: no plugin for coroutines, no web framework."""
    return Pytest(installed_wheel, tmp_path, bare=bare)


@pytest.fixture
def full_pytest(installed_wheel: Path, tmp_path: Path) -> Pytest:
    """pytest beside everything that Sixpence's extras and its own tests need."""
    return Pytest(installed_wheel, tmp_path)


def test_nothing_is_needed_but_pytest(bare_pytest: Pytest) -> None:
    """With threads and with an event loop, each test on credits of its own; no file is left but the test's."""
    counted = bare_pytest.run(test_plain=PLAIN)

    assert counted == {"passed": 3}, bare_pytest.said
    assert [file.name for file in bare_pytest.folder.iterdir()] == ["test_plain.py"]


def test_a_run_without_credits_pays_nothing(bare_pytest: Pytest) -> None:
    """The plugin is there and has loaded neither a database nor a rule."""
    test = """
import sys

def test_loaded(pytestconfig):
    assert pytestconfig.pluginmanager.has_plugin("sixpence")
    loaded = {name for name in sys.modules if name.partition(".")[0] in ("sixpence", "sqlalchemy", "msgspec")}
    assert loaded == {"sixpence", "sixpence.testing", "sixpence.testing.plugin"}
"""

    assert bare_pytest.run(test_loaded=test) == {"passed": 1}, bare_pytest.said


def test_an_async_test_awaits_the_credits(full_pytest: Pytest) -> None:
    """With a plugin that runs coroutines."""
    test = """
import pytest

@pytest.mark.anyio
async def test_awaits(credits, credit_account):
    ada = credit_account(balance=1)
    receipt = await credits.consume_credit(ada.id, "interior")
    assert (receipt.remaining, ada.remaining) == (0, 0)
"""

    assert full_pytest.run("-k", "asyncio", test_awaits=test) == {"passed": 1}, full_pytest.said


def test_a_balance_that_no_row_explains_fails_the_test_that_made_it(bare_pytest: Pytest) -> None:
    """The proof at the end names the account; the next test is not touched by it."""
    test = """
from sqlalchemy import text

def test_forges(sixpence_ledger, credit_account):
    credit_account("ada@example.com")
    sixpence_ledger.write_and_wait(lambda connection: connection.execute(
        text("UPDATE credit_accounts SET credits_remaining = 7, credits_total = 7")))

def test_next(credit_account):
    assert credit_account("ada@example.com").remaining == 6
"""

    counted = bare_pytest.run(test_forges=test)

    assert counted == {"passed": 2, "error": 1}, bare_pytest.said
    assert "ERROR test_forges.py::test_forges - AssertionError: the ledger is not clean" in bare_pytest.said
    assert "ada@example.com" in bare_pytest.said


def test_an_app_chooses_its_catalog_its_time_and_its_database(bare_pytest: Pytest) -> None:
    """Each by a fixture defined anew; the SQLite file is there, and the month before the leap day has its end."""
    conftest = """
from datetime import UTC, datetime
import pytest
from sixpence import Catalog, Feature, Plan
from sixpence.testing import CreditClock

@pytest.fixture
def sixpence_catalog():
    plans = {"free": Plan(), "pro": Plan(rank=1, allowance=40, period="month")}
    return Catalog(features={"song": Feature(4)}, plans=plans, default_plan="free")

@pytest.fixture
def sixpence_clock():
    return CreditClock(datetime(2028, 1, 31, tzinfo=UTC))

@pytest.fixture
def sixpence_database(tmp_path):
    return f"sqlite:///{tmp_path / 'credits.db'}"
"""
    test = """
from datetime import UTC, datetime

def test_chosen(sync_credits, credit_account, tmp_path):
    ada = credit_account(plan="pro")
    sync_credits.consume_credit(ada.id, "song")
    assert ada.remaining == 36
    assert ada.credits.next_allowance_at == datetime(2028, 2, 29, tzinfo=UTC)
    assert (tmp_path / "credits.db").exists()
"""

    assert bare_pytest.run(conftest=conftest, test_chosen=test) == {"passed": 1}, bare_pytest.said


def test_short_names_may_mean_something_else_in_an_app(bare_pytest: Pytest) -> None:
    """The long names go on working where all short ones are the app's own."""
    test = """
import pytest

@pytest.fixture
def credits():
    return 7

@pytest.fixture
def sync_credits():
    return 8

@pytest.fixture
def credit_clock():
    return 9

@pytest.mark.parametrize("credit_account", [10])
def test_own(credits, sync_credits, credit_clock, credit_account, sixpence_sync_credits, sixpence_account,
             sixpence_clock, sixpence_credits):
    assert (credits, sync_credits, credit_clock, credit_account) == (7, 8, 9, 10)
    ada = sixpence_account(balance=1)
    sixpence_sync_credits.consume_credit(ada.id, "interior")
    sixpence_clock.move(days=1)
    assert ada.remaining == 0
"""

    assert bare_pytest.run(test_own=test) == {"passed": 1}, bare_pytest.said


def test_every_fixture_says_what_it_is(bare_pytest: Pytest) -> None:
    """`pytest --fixtures` lists them, each with its sentence."""
    bare_pytest.run("--fixtures", test_nothing="")

    listed = [line.split(" ")[0] for line in bare_pytest.said.splitlines() if "sixpence/testing/plugin.py" in line]
    assert sorted(listed) == [
        "credit_account",
        "credit_clock",
        "credits",
        "sixpence_account",
        "sixpence_app",
        "sixpence_catalog",
        "sixpence_client",
        "sixpence_clock",
        "sixpence_credits",
        "sixpence_database",
        "sixpence_ledger",
        "sixpence_parts",
        "sixpence_sync_credits",
        "sync_credits",
    ]
    assert "no docstring available" not in bare_pytest.said


def test_sixpences_http_is_there_without_a_server(full_pytest: Pytest) -> None:
    """The client has its key, routes of an app's own stand beside, and the other fixtures see what all of it does."""
    conftest = """
import pytest
from starlette.responses import JSONResponse
from starlette.routing import Route
from sixpence.wiring import app_of

@pytest.fixture
def sixpence_app(sixpence_parts):
    def routes(integration):
        async def sketch(request):
            result = await integration.check_and_consume_credit(request, "sketch")
            return JSONResponse({"success": result.success, "left": result.remaining_credits})
        return [Route("/sketch", sketch, methods=["POST"])]
    return app_of(sixpence_parts, routes=routes)
"""
    test = """
def test_http(sixpence_client, credit_account, credit_clock):
    ada = credit_account("ada@example.com", balance=2)
    paid = sixpence_client.post("/v1/accounts/ada%40example.com/consume", json={"feature": "video"})
    assert (paid.status_code, paid.json()["remaining"], ada.remaining) == (200, 1, 1)
    credit_clock.move(days=40)
    sixpence_client.post("/v1/accounts/ada%40example.com/consume", json={"feature": "video"}).raise_for_status()
    refused = sixpence_client.post("/v1/accounts/ada%40example.com/consume", json={"feature": "video"})
    assert (refused.status_code, refused.json()["shortfall"]) == (402, 1)

def test_own_route(sixpence_client, sixpence_sync_credits):
    brook = {"email": "brook@example.com", "name": "Brook", "password": "correct horse"}
    user = sixpence_client.post("/api/auth/sign-up/email", json=brook).raise_for_status().json()["user"]
    assert sixpence_client.post("/sketch").json() == {"success": True, "left": 5}
    assert sixpence_sync_credits.get_user_credits(user["id"]).remaining == 5
"""

    # Starlette would rather have another client than the one that its own users have.
    counted = full_pytest.run("-W", "ignore:Using `httpx`", conftest=conftest, test_http=test)

    assert counted == {"passed": 2}, full_pytest.said
    assert sorted(file.name for file in full_pytest.folder.iterdir()) == ["conftest.py", "test_http.py"]

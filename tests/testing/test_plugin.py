"""The pytest plugin as an app's developer uses it: installed from the wheel, in another pytest."""

from pathlib import Path

import pytest

from tests.testing.programs import Pytest, link_base_install

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

def test_starts_with_new_ledger(sync_credits, credit_account):
    assert credit_account("ada@example.com").remaining == 6
"""


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The packages of a base install and pytest, and nothing else."""
    return link_base_install(tmp_path_factory.mktemp("bare"))


@pytest.fixture
def bare_pytest(installed_wheel: Path, bare: Path, tmp_path: Path) -> Pytest:
    """pytest with a base install: no plugin for coroutines, no web framework."""
    return Pytest(installed_wheel, tmp_path, bare=bare)


@pytest.fixture
def full_pytest(installed_wheel: Path, tmp_path: Path) -> Pytest:
    """pytest with all packages of Sixpence's extras and its own tests."""
    return Pytest(installed_wheel, tmp_path)


def test_plugin_needs_only_pytest(bare_pytest: Pytest) -> None:
    """With threads and with an event loop, each test has new credits; no file is left except the test."""
    counted = bare_pytest.run(test_plain=PLAIN)

    assert counted == {"passed": 3}, bare_pytest.output
    assert [file.name for file in bare_pytest.folder.iterdir()] == ["test_plain.py"]


def test_plugin_loads_nothing_in_run_without_credits(bare_pytest: Pytest) -> None:
    """The plugin is active, and loads neither a database nor a rule."""
    test = """
import sys

def test_loaded(pytestconfig):
    assert pytestconfig.pluginmanager.has_plugin("sixpence")
    loaded = {name for name in sys.modules if name.partition(".")[0] in ("sixpence", "sqlalchemy", "msgspec")}
    assert loaded == {"sixpence", "sixpence.testing", "sixpence.testing.plugin"}
"""

    assert bare_pytest.run(test_loaded=test) == {"passed": 1}, bare_pytest.output


def test_credits_fixture_in_async_test(full_pytest: Pytest) -> None:
    """With a plugin that runs coroutines."""
    test = """
import pytest

@pytest.mark.anyio
async def test_awaits(credits, credit_account):
    ada = credit_account(balance=1)
    receipt = await credits.consume_credit(ada.id, "interior")
    assert (receipt.remaining, ada.remaining) == (0, 0)
"""

    assert full_pytest.run("-k", "asyncio", test_awaits=test) == {"passed": 1}, full_pytest.output


def test_forged_balance_fails_its_test(bare_pytest: Pytest) -> None:
    """The proof at the end names the account; the next test is not affected."""
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

    assert counted == {"passed": 2, "error": 1}, bare_pytest.output
    assert "ERROR test_forges.py::test_forges - AssertionError: the ledger is not clean" in bare_pytest.output
    assert "ada@example.com" in bare_pytest.output


def test_app_overrides_catalog_clock_and_database(bare_pytest: Pytest) -> None:
    """Each by a fixture; the SQLite file exists, and the monthly period ends on the leap day."""
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

    assert bare_pytest.run(conftest=conftest, test_chosen=test) == {"passed": 1}, bare_pytest.output


def test_app_may_define_short_fixture_names(bare_pytest: Pytest) -> None:
    """The long names still work when an app defines all short ones."""
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

    assert bare_pytest.run(test_own=test) == {"passed": 1}, bare_pytest.output


def test_every_fixture_has_docstring(bare_pytest: Pytest) -> None:
    """`pytest --fixtures` lists each with a sentence."""
    bare_pytest.run("--fixtures", test_nothing="")

    listed = [line.split(" ")[0] for line in bare_pytest.output.splitlines() if "sixpence/testing/plugin.py" in line]
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
    assert "no docstring available" not in bare_pytest.output


def test_client_fixture_and_own_routes(full_pytest: Pytest) -> None:
    """The client has an API key, an app's own routes work beside it, and the other fixtures see the changes."""
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

    # Starlette warns about the version of httpx that most of its users have.
    counted = full_pytest.run("-W", "ignore:Using `httpx`", conftest=conftest, test_http=test)

    assert counted == {"passed": 2}, full_pytest.output
    assert sorted(file.name for file in full_pytest.folder.iterdir()) == ["conftest.py", "test_http.py"]

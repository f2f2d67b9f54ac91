"""Accessibility of the studio's page: axe finds no fault, in light and in dark."""

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Browser, Page

from tests.journeys.visitor import Visitor, running_demo
from tests.support.server import ServerProcess


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """The studio as `sixpence demo` serves it."""
    with running_demo(tmp_path_factory.mktemp("demo")) as server:
        yield server


@pytest.fixture(params=["light", "dark"])
def visitor(request: pytest.FixtureRequest, browser: Browser, demo: ServerProcess) -> Iterator[Visitor]:
    """A new visitor, with a light or dark system that prefers reduced motion."""
    context = browser.new_context(color_scheme=request.param, reduced_motion="reduce")
    yield Visitor(context.new_page(), demo.url)
    context.close()


def test_sign_up_and_sign_in_are_accessible(visitor: Visitor) -> None:
    """Signing up and signing in."""
    faults = faults_of(visitor.page)
    visitor.see("show-sign-in").click()
    visitor.see("sign-in-submit").click()

    assert (faults, faults_of(visitor.page)) == ([], [])


def test_workbench_is_accessible(visitor: Visitor) -> None:
    """Choosing, marking areas, and a result on the stage and in the gallery."""
    visitor.sign_up()
    visitor.choose("remove")
    visitor.mark_area(0.3, 0.3, 0.4, 0.4)
    marked = faults_of(visitor.page)
    visitor.choose("sketch")
    visitor.generate()

    assert (marked, faults_of(visitor.page)) == ([], [])


def test_dialogs_are_accessible(visitor: Visitor) -> None:
    """The history, the account menu, and the upgrade without credits."""
    visitor.sign_up()
    for _ in range(6):
        visitor.page.request.post(
            f"{visitor.url}/api/user/credits/consume", data={"feature": "sketch"}, headers={"origin": visitor.url}
        )
    visitor.see("credit-counter").click()
    history = faults_of(visitor.page)
    visitor.see("history-close").click()
    visitor.see("account-menu").click()
    menu = faults_of(visitor.page)
    visitor.see("account-menu").click()
    visitor.see("generate").click()
    visitor.see("checkout-button").wait_for()

    assert (history, menu, faults_of(visitor.page)) == ([], [], [])


def faults_of(page: Page) -> list[str]:
    """The faults that axe finds: the rule, and the element."""
    found = Axe().run(page).response["violations"]
    return [
        f"{fault['id']}: {node['html'][:160]} {node['failureSummary'][:300]}"
        for fault in found
        for node in fault["nodes"]
    ]

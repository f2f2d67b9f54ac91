"""The browser that tests drive: a real one, each page with nothing remembered."""

from playwright.sync_api import Page

PAGE = "<title>Sixpence</title><button onclick=\"document.title = 'clicked'\">Spend</button>"


def test_a_page_runs_scripts(page: Page) -> None:
    """A click reaches the page's own script."""
    page.set_content(PAGE)

    page.get_by_role("button", name="Spend").click()

    assert page.title() == "clicked"

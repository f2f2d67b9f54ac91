"""A visitor with a real browser at a real studio: the steps of a journey, and the browser's errors.

Not here: the journeys themselves, and the server (tests/support/server.py).
"""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import ConsoleMessage, Locator, Page, Response, expect

from tests.support.server import ServerProcess, environment_for

PASSWORD = "correct horse"
# A generator takes a few seconds, on a busy machine several times that.
GENERATION_MILLISECONDS = 60_000


@contextmanager
def running_demo(home: Path) -> Iterator[ServerProcess]:
    """The studio as `sixpence demo` serves it."""
    home.mkdir(parents=True, exist_ok=True)
    server = ServerProcess(home, environment_for(home, None), workers=1, command="demo")
    server.start()
    try:
        yield server
    finally:
        server.stop()


class Visitor:
    """A person on the studio's page; `complaints` are the browser's errors, violated policies among them."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url
        self.email = f"ada.{uuid.uuid4().hex[:10]}@example.com"
        self.complaints: list[str] = []
        page.on("console", self._note)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("response", self._note_failure)
        page.goto(url)

    def see(self, name: str) -> Locator:
        """Return the part of the page with this test id."""
        return self.page.get_by_test_id(name)

    def sign_up(self) -> None:
        """Sign up as a new person."""
        self.see("sign-up-name").fill("Ada Lovelace")
        self.see("sign-up-email").fill(self.email)
        self.see("sign-up-password").fill(PASSWORD)
        self.see("sign-up-submit").click()
        self.expect_credits("6")

    def sign_in(self, password: str = PASSWORD) -> None:
        """Try to sign in again."""
        self.see("show-sign-in").click()
        self.see("sign-in-email").fill(self.email)
        self.see("sign-in-password").fill(password)
        self.see("sign-in-submit").click()

    def sign_out(self) -> None:
        """Sign out by the account's menu."""
        self.see("account-menu").click()
        self.see("sign-out").click()
        expect(self.see("sign-in-form")).to_be_visible()

    def choose(self, feature: str, *, room: str | None = None) -> None:
        """Choose a feature, and a room."""
        if room is not None:
            self.see(f"room-{room}").check(force=True)
        self.see(f"feature-{feature}").check(force=True)

    def mark_area(self, left: float, top: float, right: float, bottom: float) -> None:
        """Draw a rectangle over the picture with the mouse, in shares of its size."""
        areas = self.see("areas")
        areas.scroll_into_view_if_needed()
        box = areas.bounding_box()
        assert box is not None
        corners = [
            (box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in ((left, top), (right, bottom))
        ]
        self.page.mouse.move(*corners[0])
        self.page.mouse.down()
        self.page.mouse.move(*corners[1], steps=5)
        self.page.mouse.up()
        expect(self.see("area-1")).to_be_visible()

    def generate(self) -> None:
        """Order the picture, and wait for the result on the stage."""
        count = self.see("gallery-item").count()
        self.see("generate").click()
        expect(self.see("gallery-item")).to_have_count(count + 1, timeout=GENERATION_MILLISECONDS)
        expect(self.see("working")).to_be_hidden()
        self.expect_picture(self.see("result-image"))

    def tab_to(self, name: str) -> None:
        """Press Tab until this has the focus."""
        for _ in range(80):
            self.page.keyboard.press("Tab")
            if self.page.evaluate("document.activeElement.dataset.testid") == name:
                return
        raise AssertionError(f"Tab does not lead to {name}")

    def width(self) -> int:
        """The width of the page in CSS pixels, including what is scrolled out of view."""
        return int(self.page.evaluate("document.documentElement.scrollWidth"))

    def expect_credits(self, text: str) -> None:
        """Expect this text in the counter."""
        expect(self.see("credits-remaining")).to_have_text(text)

    def expect_picture(self, picture: Locator) -> None:
        """Expect the image to be loaded and visible."""
        expect(picture).to_be_visible()
        self.page.wait_for_function(
            "image => image.complete && image.naturalWidth > 0", arg=picture.element_handle(), timeout=10_000
        )

    def _note(self, message: ConsoleMessage) -> None:
        # An answer of 400 or above is recorded with its path, below.
        if message.type == "error" and "Failed to load resource" not in message.text:
            self.complaints.append(message.text)

    def _note_failure(self, response: Response) -> None:
        if response.status >= 400:
            path = response.url.removeprefix(self.url)
            self.complaints.append(f"{response.status} {response.request.method} {path}")

"""The studio in a real browser, at the server that `sixpence demo` starts, on real pictures."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from sixpence_studio.rooms import get_room
from tests.journeys.visitor import PASSWORD, Visitor, running_demo
from tests.support.server import ServerProcess

# One generation with each feature, on a room that suits it.
ORDERS = [
    ("interior", "living-room"),
    ("exterior", "house"),
    ("sketch", "kitchen"),
    ("furnish", "empty-room"),
    ("remove", "living-room"),
    ("video", "bedroom"),
]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """The studio as `sixpence demo` serves it."""
    with running_demo(tmp_path_factory.mktemp("demo")) as server:
        yield server


@pytest.fixture
def visitor(page: Page, demo: ServerProcess) -> Visitor:
    """A new visitor on the studio's page."""
    return Visitor(page, demo.url)


@pytest.mark.timeout(300)
def test_six_pictures_then_upgrade_then_sign_in_again(visitor: Visitor, tmp_path: Path) -> None:
    """Six credits make six pictures, then an upgrade makes them free; signing in again shows everything."""
    expect(visitor.page.get_by_role("heading", name="Redesign a room. Your first six are free.")).to_be_visible()
    expect(visitor.see("sign-up-submit")).to_have_text("Create account: 6 free credits")
    visitor.sign_up()
    for left, (feature, room) in zip("543210", ORDERS, strict=True):
        visitor.choose(feature, room=room)
        if feature == "remove":
            visitor.mark_area(0.27, 0.3, 0.4, 0.68)
        visitor.generate()
        visitor.expect_credits(left)
    expect(visitor.see("empty-notice")).to_contain_text("0 credits left.")

    visitor.choose("sketch", room="kitchen")
    visitor.see("generate").click()
    expect(visitor.page.get_by_role("dialog", name="You’re out of credits.")).to_be_visible()
    expect(visitor.see("checkout-button")).to_have_text("Upgrade to Pro")
    expect(visitor.see("upgrade-detail")).to_contain_text("This picture costs 1 credit and you have none left.")
    visitor.see("checkout-button").click()
    expect(visitor.see("upgrade-dialog")).to_be_hidden()
    visitor.expect_credits("∞")

    visitor.generate()
    own = tmp_path / "my own room.jpg"
    own.write_bytes(get_room("bedroom").path.read_bytes())
    visitor.see("picture-input").set_input_files(own)
    expect(visitor.see("stage-caption")).to_have_text("Your picture")
    visitor.generate()

    visitor.see("credit-counter").click()
    expect(visitor.page.get_by_role("dialog", name="Credit history")).to_be_visible()
    rows = visitor.see("history-row")
    expect(rows).to_have_count(18)
    changes = [row.get_attribute("data-kind") for row in rows.all()]
    assert changes == [*["capture", "hold"] * 2, "plan_change", *["capture", "hold"] * 6, "signup"]
    amounts = [row.locator("td").first.inner_text() for row in rows.all()]
    assert amounts == ["0", "0"] * 2 + ["0"] + ["0", "−1"] * 6 + ["+6"]
    visitor.see("history-close").click()

    visitor.sign_out()
    visitor.sign_in()
    visitor.expect_credits("∞")
    expect(visitor.see("gallery-item")).to_have_count(8)
    assert visitor.complaints == ["402 POST /studio/generations"]


def test_sign_in_explains_a_wrong_password(visitor: Visitor) -> None:
    """A wrong password is explained beside the form; with the right one the visitor is signed in again."""
    visitor.sign_up()
    visitor.sign_out()

    visitor.sign_in("wrong horse")
    expect(visitor.see("sign-in-error")).to_have_text(
        "That e-mail and password do not belong together. Check both and try again."
    )
    visitor.sign_in(PASSWORD)

    visitor.expect_credits("6")
    assert visitor.complaints == ["401 POST /api/auth/sign-in/email"]


def test_sign_up_and_generate_by_keyboard(visitor: Visitor) -> None:
    """Signing up and a generation need no mouse, and the focus order reaches every control."""
    visitor.tab_to("sign-up-name")
    for text in ("Ada", visitor.email, PASSWORD):
        visitor.page.keyboard.type(text)
        visitor.page.keyboard.press("Tab")
    visitor.page.keyboard.press("Enter")
    visitor.expect_credits("6")

    visitor.tab_to("feature-interior")
    for _ in range(2):
        visitor.page.keyboard.press("ArrowRight")
    expect(visitor.see("feature-sketch")).to_be_focused()
    visitor.tab_to("option-technique-pencil")
    visitor.page.keyboard.press("ArrowRight")
    visitor.tab_to("generate")
    visitor.page.keyboard.press("Enter")

    expect(visitor.see("gallery-item")).to_have_count(1, timeout=60_000)
    visitor.expect_credits("5")
    visitor.tab_to("compare-slider")
    visitor.page.keyboard.press("ArrowRight")
    expect(visitor.see("compare-slider")).to_have_value("51")
    assert visitor.complaints == []


def test_upload_that_is_not_a_picture_is_refused(visitor: Visitor, tmp_path: Path) -> None:
    """A file that is not a picture is explained beside the picker, and costs nothing."""
    visitor.sign_up()
    letter = tmp_path / "letter.jpg"
    letter.write_text("Dear Ada")

    visitor.see("picture-input").set_input_files(letter)

    expect(visitor.see("picture-error")).to_contain_text("“letter.jpg” could not be read as a picture.")
    visitor.expect_credits("6")


def test_operator_grant_reaches_the_customer(visitor: Visitor, demo: ServerProcess, browser: Browser) -> None:
    """The demo's operator signs in with the printed password and grants credits, which the customer's page shows."""
    visitor.sign_up()
    account_id = visitor.see("account-id").text_content() or ""
    operator = Visitor(browser.new_context().new_page(), demo.url)
    [(operator.email, password)] = re.findall(r"operator +(\S+) +password: (\S+)", demo.log)
    operator.sign_in(password)

    operator.see("grant-user").fill(account_id)
    operator.see("grant-amount").fill("4")
    operator.see("grant-reason").fill("a kind word")
    expect(operator.see("grant-preview")).to_have_text("Review grant")
    operator.see("grant-preview").click()
    operator.see("grant-confirm").click()
    expect(operator.see("grant-result")).to_contain_text("received 4 credits and now has 10 credits.")

    visitor.page.reload()
    visitor.expect_credits("10")
    assert (visitor.complaints, operator.complaints) == ([], [])
    operator.page.context.close()


@pytest.mark.parametrize("width", [360, 768, 1280])
def test_page_is_never_wider_than_the_screen(visitor: Visitor, width: int) -> None:
    """On a phone, a tablet and a desktop the page fits the screen's width."""
    visitor.page.set_viewport_size({"width": width, "height": 740})
    widths = [visitor.width()]
    visitor.sign_up()
    widths.append(visitor.width())
    visitor.choose("sketch")
    visitor.generate()
    widths.append(visitor.width())

    assert widths == [width] * 3

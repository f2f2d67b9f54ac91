"""Takes the picture of the studio that the README shows: the real server, a real browser, two credits left.

    python -m tools.picture_of_studio [docs/images/studio.png]

Needs Chromium (tests/support/chromium.py finds it). Look at the picture before you commit it.
"""

import io
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import ViewportSize

from tests.journeys.visitor import Visitor, running_demo
from tests.support.chromium import launched_chromium

SIZE: ViewportSize = {"width": 1280, "height": 890}
BYTES_MAX = 400_000
# The last one stays on the stage; each costs one of the six credits.
ORDERS = [("sketch", "kitchen"), ("furnish", "empty-room"), ("exterior", "house"), ("interior", "living-room")]
STYLE = "art-deco"


def main() -> None:
    """Make four pictures as a customer would, and photograph the page."""
    target = Path(sys.argv[1] if len(sys.argv) > 1 else "docs/images/studio.png")
    with tempfile.TemporaryDirectory() as home, running_demo(Path(home)) as server, launched_chromium() as browser:
        page = browser.new_page(viewport=SIZE, color_scheme="light")
        visitor = Visitor(page, server.url)
        visitor.sign_up()
        for feature, room in ORDERS:
            visitor.choose(feature, room=room)
            if feature == "interior":
                visitor.see("option-style").select_option(STYLE)
            visitor.generate()
        visitor.expect_credits("2")
        page.evaluate("scrollTo(0, 0); document.getElementById('rooms').scrollTo(0, 0)")
        page.mouse.move(0, 0)
        page.wait_for_timeout(1_000)  # the last coin has left its recess
        picture = Image.open(io.BytesIO(page.screenshot()))
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(small_png(picture.convert("RGB")))
    print(f"{target}: {target.stat().st_size // 1000} kB")


def small_png(picture: Image.Image) -> bytes:
    """The picture as a PNG under the limit: in 256 colours, dithered, so that a wall shows no steps."""
    palette = picture.quantize(256, method=Image.Quantize.MAXCOVERAGE, kmeans=4)
    buffer = io.BytesIO()
    picture.quantize(palette=palette, dither=Image.Dither.FLOYDSTEINBERG).save(buffer, "PNG", optimize=True)
    if buffer.tell() > BYTES_MAX:
        raise SystemExit(f"The picture has {buffer.tell()} bytes, more than {BYTES_MAX}.")
    return buffer.getvalue()


if __name__ == "__main__":
    main()

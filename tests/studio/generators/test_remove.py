"""`remove`: the marked area disappears; everything else stays exactly the same."""

import base64

import numpy as np
import pytest
from PIL import Image, ImageDraw

from sixpence_studio.generators import GENERATORS, OptionError, Picture, open_picture
from tests.studio.generators.pictures import file_of, mean_difference, pixels_of, small_room

pytestmark = pytest.mark.slow
REMOVE = GENERATORS["remove"]


def wall_with_a_picture() -> Picture:
    """A pale wall with fine stripes, and a black square in the middle of it."""
    image = Image.new("RGB", (200, 160), (214, 205, 190))
    draw = ImageDraw.Draw(image)
    for x in range(0, 200, 8):
        draw.line((x, 0, x, 160), (196, 186, 170))
    draw.rectangle((80, 60, 120, 100), (10, 10, 10))
    return open_picture(file_of(image))


def mask(picture: Picture, box: tuple[int, int, int, int]) -> str:
    """A mask picture, white in the box, as a data URL."""
    image = Image.new("L", (picture.width, picture.height), 0)
    ImageDraw.Draw(image).rectangle(box, 255)
    return "data:image/png;base64," + base64.b64encode(file_of(image)).decode()


@pytest.mark.parametrize(
    ("room", "area"),
    [("living-room", (0.43, 0.3, 0.2, 0.24)), ("bedroom", (0.83, 0.48, 0.16, 0.42)), ("house", (0.0, 0.1, 0.2, 0.5))],
)
def test_remove_changes_only_the_marked_area(room: str, area: tuple[float, float, float, float]) -> None:
    """Inside the marked area the picture changes; outside of it no value changes."""
    picture = small_room(room)
    left, top, wide, high = area

    result = REMOVE.generate(picture, {"area": " ".join(map(str, area))}, 1)

    inside = np.zeros((picture.height, picture.width), bool)
    rows = slice(round(top * picture.height), round((top + high) * picture.height))
    inside[rows, round(left * picture.width) : round((left + wide) * picture.width)] = True
    new = pixels_of(result)
    assert (result.media_type, result.suffix) == ("image/png", ".png")
    assert (new[~inside] == picture.pixels[~inside]).all()
    assert mean_difference(new[inside], picture.pixels[inside]) > 8


def test_remove_fills_the_gap_from_its_surroundings() -> None:
    """A black square on a striped wall is replaced by wall, stripes included."""
    picture = wall_with_a_picture()

    new = pixels_of(REMOVE.generate(picture, {"area": "0.38 0.35 0.25 0.3"}, 1))

    gap, wall = new[60:100, 80:120].astype(float), picture.pixels[10:50, 80:120].astype(float)
    assert gap.min() > 150
    assert abs(gap.mean() - wall.mean()) < 5
    assert gap.std() > 0.4 * wall.std()


def test_remove_takes_several_rectangles() -> None:
    """Rectangles are separated by semicolons; commas in them are allowed."""
    picture = small_room("living-room")

    new = pixels_of(REMOVE.generate(picture, {"area": "0.45, 0.3, 0.08, 0.2; 0.7 0.35 0.08 0.3;"}, 1))

    changed = (new != picture.pixels).any(axis=2)
    height, width = changed.shape
    assert changed[round(0.4 * height), round(0.49 * width)]
    assert changed[:, : round(0.44 * width)].sum() == 0
    assert changed[round(0.4 * height) :, round(0.71 * width) : round(0.77 * width)].any()


def test_mask_marks_like_a_rectangle() -> None:
    """A mask with the same rectangle gives the same result."""
    picture = wall_with_a_picture()

    by_mask = REMOVE.generate(picture, {"area": mask(picture, (70, 50, 129, 109))}, 1)
    by_rectangle = REMOVE.generate(picture, {"area": f"{70 / 200} {50 / 160} {60 / 200} {60 / 160}"}, 1)

    assert by_mask == by_rectangle


@pytest.mark.parametrize(
    "area",
    [
        "", ";", "0.1 0.1 0.1", "a b c d", "0.1 0.1 0.1 nan", "-0.1 0 0.5 0.5", "0 0 1.5 0.2", "0 0 1 1", "0.5 0.5 0 0",
        "1 1 1 1", "; ".join(["0 0 0.01 0.01"] * 51), "data:image/png;base64,????", "data:image/png;base64,aGVsbG8=",
        mask(wall_with_a_picture(), (500, 500, 600, 600)),
    ],
    ids=["nothing", "empty", "three", "words", "nan", "negative", "beyond", "all", "flat", "outside", "many", "base64",
         "no-png", "black-mask"],
)  # fmt: skip
def test_invalid_area_is_refused(area: str) -> None:
    """The refusal names the option and the format of an area."""
    with pytest.raises(OptionError) as refusal:
        REMOVE.generate(wall_with_a_picture(), {"area": area}, 1)

    assert (refusal.value.option, refusal.value.code) == ("area", "invalid-option")
    assert refusal.value.allowed


def test_missing_area_is_refused() -> None:
    """The area is required."""
    with pytest.raises(OptionError):
        REMOVE.generate(wall_with_a_picture(), {}, 1)

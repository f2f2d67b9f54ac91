"""The sample rooms exist, and look as the code draws them."""

import numpy as np
import pytest
from PIL import Image

from sixpence_studio.generators import open_picture
from sixpence_studio.rooms import ROOMS, Room, get_room
from sixpence_studio.rooms.draw import DRAWINGS
from sixpence_studio.scene.rendering import Quality
from tests.studio.generators.pictures import mean_difference

pytestmark = pytest.mark.slow
DRAWN = (120, 80)
CELLS = (30, 20)
TOLERANCE = 12.0


def in_cells(image: Image.Image) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """The mean colours of a picture in 30 x 20 cells."""
    return np.asarray(image.convert("RGB").resize(CELLS, Image.Resampling.BOX), np.uint8)


def committed(room: Room) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """The committed picture in cells."""
    with Image.open(room.path) as image:
        return in_cells(image)


def test_rooms_of_both_kinds_exist() -> None:
    """At least four rooms, inside and outside, each with its own name and a drawing in code."""
    assert len({room.name for room in ROOMS}) == len(ROOMS) >= 4
    assert {room.kind for room in ROOMS} == {"interior", "exterior"}
    assert set(DRAWINGS) == {room.name for room in ROOMS}


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: room.name)
def test_room_file_has_the_right_size(room: Room) -> None:
    """1200 x 800 pixels in less than 250 kB, and an upload would be accepted."""
    data = room.path.read_bytes()

    picture = open_picture(data)

    assert (picture.width, picture.height, room.path.suffix) == (1200, 800, ".jpg")
    assert len(data) < 250_000


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: room.name)
def test_committed_picture_matches_the_drawing(room: Room) -> None:
    """Drawn small and with fewer light samples, a room looks like its file, and not like another room's."""
    quality = Quality(oversampling=1, samples=6, light_width=80)

    drawn = in_cells(Image.fromarray(DRAWINGS[room.name]().pixels(width=DRAWN[0], height=DRAWN[1], quality=quality)))

    differences = {other.name: mean_difference(drawn, committed(other)) for other in ROOMS}
    assert differences[room.name] < TOLERANCE
    assert min(value for name, value in differences.items() if name != room.name) > 2 * differences[room.name]


def test_drawing_is_deterministic() -> None:
    """Drawing twice gives the same values."""
    quality = Quality(oversampling=1, samples=1, light_width=40)

    first, second = (DRAWINGS["empty-room"]().pixels(width=60, height=40, quality=quality) for _ in range(2))

    assert (first == second).all()


def test_get_room_finds_by_name() -> None:
    """An unknown name is refused with the known ones."""
    assert get_room("kitchen").title == "Kitchen"
    with pytest.raises(KeyError, match="living-room"):
        get_room("cellar")

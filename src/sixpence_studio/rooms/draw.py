"""Draws the committed pictures again: `python -m sixpence_studio.rooms.draw [name ...]`, some minutes per room.

The pictures are committed, so that the studio starts without drawing them. A test draws small ones and compares.
"""

import sys
from collections.abc import Callable

from PIL import Image

from sixpence_studio.rooms import ROOMS, get_room
from sixpence_studio.rooms.bedroom import bedroom
from sixpence_studio.rooms.drawing import Drawing
from sixpence_studio.rooms.house import house
from sixpence_studio.rooms.kitchen import kitchen
from sixpence_studio.rooms.living_room import empty_living_room, living_room
from sixpence_studio.scene.rendering import Quality

WIDTH, HEIGHT = 1200, 800

DRAWINGS: dict[str, Callable[[], Drawing]] = {
    "living-room": living_room,
    "empty-room": empty_living_room,
    "bedroom": bedroom,
    "kitchen": kitchen,
    "house": house,
}


def draw_room(name: str) -> None:
    """Draws one room at full quality into its file."""
    pixels = DRAWINGS[name]().pixels(
        width=WIDTH, height=HEIGHT, quality=Quality(oversampling=2, samples=28, light_width=480)
    )
    path = get_room(name).path
    path.parent.mkdir(exist_ok=True)
    Image.fromarray(pixels).save(path, quality=88, optimize=True, progressive=True)


if __name__ == "__main__":
    for chosen in sys.argv[1:] or [room.name for room in ROOMS]:
        draw_room(chosen)

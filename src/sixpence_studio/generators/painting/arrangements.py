"""Sets of furniture and the place of each piece, measured from the end wall of a room and from its middle."""

from collections.abc import Callable
from dataclasses import dataclass

from sixpence_studio.scene.furnishings import (
    floor_lamp,
    hanging_lamp,
    picture,
    plant,
    rug,
    screen,
    shelf,
    table_lamp,
    vase,
)
from sixpence_studio.scene.furniture import (
    Palette,
    Piece,
    armchair,
    bed,
    coffee_table,
    desk,
    dining_chair,
    dining_table,
    placed,
    round_table,
    sofa,
)

HALF_TURN = 3.14159
QUARTER_TURN = 1.5708

PALETTES: tuple[tuple[str, str, Palette], ...] = (
    ("natural", "Natural", Palette()),
    ("ocean", "Ocean", Palette(fabric="#5d7f95", second_fabric="#d8cfc0", accent="#e2a94f", timber="#b98f63",
                               stone="#eceae6")),
    ("forest", "Forest", Palette(fabric="#5f7357", second_fabric="#c9b79a", accent="#b4552f", timber="#7a5335",
                                 stone="#e6dfd2")),
    ("graphite", "Graphite", Palette(fabric="#55585c", second_fabric="#a9a39a", accent="#c9a24a", timber="#5b4030",
                                     stone="#dcdad6")),
)  # fmt: skip


@dataclass(frozen=True)
class Arrangement:
    """A set: `place` gets the colours, the distance of the end wall, and how wide the room is, in metres."""

    name: str
    title: str
    place: Callable[[Palette, float, float], list[Piece]]

    def things(self, palette: Palette, depth: float, width: float, middle: float) -> list[Piece]:
        """The pieces, seen from the eye: x from its right, z ahead; the room's middle is at `middle`."""
        return [placed(piece, (middle, 0, 0)) for piece in self.place(palette, depth, width)]


def get_arrangement(name: str) -> Arrangement:
    """Return the set with that name; raises KeyError."""
    return {arrangement.name: arrangement for arrangement in ARRANGEMENTS}[name]


def _lounge(p: Palette, depth: float, width: float) -> list[Piece]:
    side = min(1.0, width / 4.6)
    wall = depth - 0.03
    back = depth - 0.55
    seats = 3 if width > 3.4 else 2
    return [
        placed(rug("#d6ccb9", (0.72, 0.66, 0.62), width=3.0 * side, depth=1.9), (0, 0, back - 1.25)),
        placed(sofa(p, width=2.25 if seats == 3 else 1.65, seats=seats), (0, 0, back)),
        placed(coffee_table(p), (-0.05, 0, back - 1.35)),
        placed(armchair(p), (-1.75 * side, 0, back - 1.25), turn=-0.95),
        placed(round_table(p), (1.5 * side, 0, back + 0.05)),
        placed(vase(p, height=0.22), (1.5 * side, 0.5, back + 0.05)),
        placed(floor_lamp(p), (-1.6 * side, 0, back + 0.15)),
        placed(plant(p, height=1.35), (2.15 * side, 0, back - 0.05)),
        placed(picture(("#e3d5bd", p.accent, p.second_fabric, "#2b333a"), width=1.3, height=0.85), (0, 1.72, wall)),
    ]  # fmt: skip


def _dining(p: Palette, depth: float, width: float) -> list[Piece]:
    z = depth - 1.85
    side = min(1.0, width / 4.2)
    wall = depth - 0.03
    things = [
        placed(rug("#cfc5b3", (0.86, 0.82, 0.78), width=2.9 * side, depth=2.1, period=0.4), (0, 0, z)),
        placed(dining_table(p), (0, 0, z)),
        placed(vase(p, height=0.27, twigs=9), (0.12, 0.755, z)),
        placed(plant(p, height=1.5, seed=4), (-2.0 * side, 0, depth - 0.6)),
        placed(shelf(p, width=1.2, height=1.7, boards=4), (1.75 * side, 0, depth - 0.22)),
        placed(picture(("#ece4d6", p.second_fabric, p.accent, "#34403c"), width=0.75, height=0.95), (-0.2, 1.75, wall)),
        placed(hanging_lamp(p, drop=0.75, width=0.5), (0, 2.55, z)),
    ]  # fmt: skip
    for x in (-0.5, 0.5):
        things.append(placed(dining_chair(p), (x, 0, z + 0.62)))
        things.append(placed(dining_chair(p), (x + 0.04, 0, z - 0.66), turn=HALF_TURN + 0.12 * x))
    things.append(placed(dining_chair(p), (-1.25, 0, z), turn=-QUARTER_TURN))
    things.append(placed(dining_chair(p), (1.25, 0, z), turn=QUARTER_TURN))
    return things


def _bedroom(p: Palette, depth: float, width: float) -> list[Piece]:
    back = depth - 1.2
    side = min(1.0, width / 4.2)
    wall = depth - 0.03
    things = [
        placed(rug("#d9d2c4", (0.82, 0.77, 0.72), width=2.9 * side, depth=1.7, period=0.4), (0, 0, back - 0.75)),
        placed(bed(p), (0, 0, back)),
        placed(plant(p, height=1.2, seed=7), (2.0 * side, 0, depth - 0.6)),
        placed(picture(("#e8e0d2", p.accent, p.second_fabric, "#3b4648"), width=1.2, height=0.7), (0, 1.78, wall)),
        placed(armchair(p), (-1.95 * side, 0, back - 0.45), turn=-0.8),
    ]  # fmt: skip
    for x in (-1.2, 1.2):
        things.append(placed(round_table(p, width=0.42, height=0.52), (x, 0, depth - 0.35)))
        things.append(placed(table_lamp(p), (x, 0.52, depth - 0.35)))
    return things


def _office(p: Palette, depth: float, width: float) -> list[Piece]:
    side = min(1.0, width / 4.2)
    wall = depth - 0.03
    z = depth - 0.62
    return [
        placed(rug("#c9c0b0", (0.7, 0.68, 0.66), width=2.5 * side, depth=1.6, period=0.3), (0, 0, z - 0.75)),
        placed(desk(p, width=1.6), (0, 0, z)),
        placed(screen(), (-0.12, 0.753, z + 0.06)),
        placed(table_lamp(p), (0.62, 0.753, z + 0.12)),
        placed(dining_chair(p), (-0.14, 0, z - 0.62), turn=HALF_TURN + 0.35),
        placed(shelf(p, width=1.1, height=2.0), (1.75 * side, 0, depth - 0.2)),
        placed(plant(p, height=1.4, seed=6), (-1.5 * side, 0, z + 0.05)),
        placed(armchair(p), (-1.7 * side, 0, z - 1.35), turn=-0.9),
        placed(floor_lamp(p), (-2.1 * side, 0, z - 0.75)),
        placed(picture(("#dfe2dc", p.accent, p.fabric, "#2b333a"), width=0.62, height=0.8), (-0.42, 1.72, wall)),
        placed(picture(("#ece2d0", p.second_fabric, p.accent, "#54463a"), width=0.62, height=0.8), (0.34, 1.72, wall)),
    ]  # fmt: skip


ARRANGEMENTS: tuple[Arrangement, ...] = (
    Arrangement("lounge", "Sofa set", _lounge),
    Arrangement("dining", "Dining table", _dining),
    Arrangement("bedroom", "Bedroom", _bedroom),
    Arrangement("office", "Home office", _office),
)

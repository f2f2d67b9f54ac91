"""The empty shell of a room: floor, ceiling, walls with openings, window frames, curtains, skirting.

The room is `width` wide about x = 0 and reaches from `front` (behind the viewer) to `back` along z; its floor is y = 0.
"""

from dataclasses import dataclass

from sixpence_studio.scene.furniture import Piece, cloth
from sixpence_studio.scene.lighting import Window
from sixpence_studio.scene.materials import Material
from sixpence_studio.scene.solids import Vector, box, round_post

THICK = 0.24


@dataclass(frozen=True)
class Opening:
    """A window or door in a wall: where it begins and ends along the wall, and from which height to which."""

    start: float
    end: float
    bottom: float
    top: float


@dataclass(frozen=True)
class Shell:
    """The measures and surfaces of a room, and its openings by wall."""

    width: float
    height: float
    front: float
    back: float
    floor: Material
    wall: Material
    ceiling: Material
    back_wall: Material | None = None
    trim: Material | None = None
    left: tuple[Opening, ...] = ()
    right: tuple[Opening, ...] = ()
    rear: tuple[Opening, ...] = ()

    def things(self) -> list[Piece]:
        """The shell as things of a scene."""
        w, h, middle, depth = self.width, self.height, (self.front + self.back) / 2, self.back - self.front
        trim = self.trim or Material("#f3f0ea")
        back_wall = self.back_wall or self.wall
        things: list[Piece] = [
            [box((0, -0.1, middle), (w + 1, 0.2, depth + 1), self.floor)],
            [box((0, h + 0.1, middle), (w + 1, 0.2, depth + 1), self.ceiling)],
            [box((0, h / 2, self.front - THICK / 2), (w + 1, h, THICK), self.wall)],
            _along_x(self.back + THICK / 2, -w / 2 - THICK, w / 2 + THICK, h, self.rear, back_wall),
            _along_z(-w / 2 - THICK / 2, self.front, self.back, h, self.left, self.wall),
            _along_z(w / 2 + THICK / 2, self.front, self.back, h, self.right, self.wall),
            self._skirting(trim),
        ]
        for side, openings in ((-1, self.left), (1, self.right)):
            things += [_frame_z(side * (w / 2 + THICK * 0.55), opening, trim) for opening in openings]
            for o in openings:
                if o.bottom > 0.2:
                    sill = (0.2, 0.04, o.end - o.start + 0.16)
                    things.append([box((side * (w / 2 - 0.04), o.bottom - 0.02, (o.start + o.end) / 2), sill, trim)])
        for opening in self.rear:
            things.append(_frame_x(self.back + THICK * 0.55, opening, trim))
            if opening.bottom > 0.2:
                things.append([box(((opening.start + opening.end) / 2, opening.bottom - 0.02, self.back - 0.04),
                                   (opening.end - opening.start + 0.16, 0.04, 0.2), trim)])  # fmt: skip
        return things

    def windows(self, light: Vector) -> list[Window]:
        """The openings as sources of sky light."""
        result = []
        for side, openings in ((-1, self.left), (1, self.right)):
            x = side * (self.width / 2 + THICK)
            result += [Window((x, o.bottom, o.start), (0, 0, o.end - o.start), (0, o.top - o.bottom, 0), light)
                       for o in openings]  # fmt: skip
        for o in self.rear:
            corner = (o.start, o.bottom, self.back + THICK)
            result.append(Window(corner, (o.end - o.start, 0, 0), (0, o.top - o.bottom, 0), light))
        return result

    def _skirting(self, trim: Material) -> Piece:
        w, depth, middle = self.width, self.back - self.front, (self.front + self.back) / 2

        def runs(openings: tuple[Opening, ...], low: float, high: float) -> list[tuple[float, float]]:
            edges = [low]
            for o in sorted((o for o in openings if o.bottom < 0.1), key=lambda o: o.start):
                edges += [o.start, o.end]
            edges.append(high)
            return list(zip(edges[::2], edges[1::2], strict=True))

        solids = [box((0, self.height - 0.035, self.back - 0.03), (w, 0.07, 0.06), trim)]
        solids += [box((side * (w / 2 - 0.03), self.height - 0.035, middle), (0.06, 0.07, depth), trim)
                   for side in (-1, 1)]  # fmt: skip
        solids += [box(((a + b) / 2, 0.055, self.back - 0.01), (b - a, 0.11, 0.02), trim)
                   for a, b in runs(self.rear, -w / 2, w / 2)]  # fmt: skip
        for side, openings in ((-1, self.left), (1, self.right)):
            solids += [box((side * (w / 2 - 0.01), 0.055, (a + b) / 2), (0.02, 0.11, b - a), trim)
                       for a, b in runs(openings, self.front, self.back)]  # fmt: skip
        return solids


def curtain(x: float, z: float, length: float, *, along_z: bool, height: float, colour: str, folds: int = 7) -> Piece:
    """A curtain hanging in folds from `height` to just above the floor, beginning at (x, z)."""
    material = cloth(colour, depth=0.06)
    step = length / folds
    solids = []
    for k in range(folds):
        shift = step * (k + 0.5)
        depth = 0.12 if k % 2 else 0.085
        size = (depth, height - 0.03, step * 1.25) if along_z else (step * 1.25, height - 0.03, depth)
        centre = (x, height / 2 + 0.01, z + shift) if along_z else (x + shift, height / 2 + 0.01, z)
        solids.append(round_post(centre, size, material))
    return solids


def rail(start: Vector, length: float, *, along_z: bool, colour: str = "#2c2b2a") -> Piece:
    """A thin curtain rail."""
    size = (0.025, 0.025, length) if along_z else (length, 0.025, 0.025)
    centre = (start[0], start[1], start[2] + length / 2) if along_z else (start[0] + length / 2, start[1], start[2])
    return [box(centre, size, Material(colour))]


def _along_z(x: float, start: float, end: float, height: float, openings: tuple[Opening, ...],
             material: Material) -> Piece:  # fmt: skip
    solids, position = [], start
    for o in sorted(openings, key=lambda o: o.start):
        solids.append(box((x, height / 2, (position + o.start) / 2), (THICK, height, o.start - position), material))
        middle, span = (o.start + o.end) / 2, o.end - o.start
        if o.bottom > 0:
            solids.append(box((x, o.bottom / 2, middle), (THICK, o.bottom, span), material))
        solids.append(box((x, (o.top + height) / 2, middle), (THICK, height - o.top, span), material))
        position = o.end
    solids.append(box((x, height / 2, (position + end) / 2), (THICK, height, end - position), material))
    return solids


def _along_x(z: float, start: float, end: float, height: float, openings: tuple[Opening, ...],
             material: Material) -> Piece:  # fmt: skip
    solids, position = [], start
    for o in sorted(openings, key=lambda o: o.start):
        solids.append(box(((position + o.start) / 2, height / 2, z), (o.start - position, height, THICK), material))
        middle, span = (o.start + o.end) / 2, o.end - o.start
        if o.bottom > 0:
            solids.append(box((middle, o.bottom / 2, z), (span, o.bottom, THICK), material))
        solids.append(box((middle, (o.top + height) / 2, z), (span, height - o.top, THICK), material))
        position = o.end
    solids.append(box(((position + end) / 2, height / 2, z), (end - position, height, THICK), material))
    return solids


def _frame_z(x: float, o: Opening, trim: Material, bar: float = 0.055) -> Piece:
    middle, span, rise = (o.start + o.end) / 2, o.end - o.start, o.top - o.bottom
    heights = (o.bottom + bar / 2, o.top - bar / 2, o.bottom + rise * 0.68)
    solids = [box((x, y, middle), (bar, bar, span), trim) for y in heights]
    solids += [box((x, o.bottom + rise / 2, z), (bar, rise, bar), trim)
               for z in (o.start + bar / 2, o.end - bar / 2, middle)]  # fmt: skip
    return solids


def _frame_x(z: float, o: Opening, trim: Material, bar: float = 0.055) -> Piece:
    middle, span, rise = (o.start + o.end) / 2, o.end - o.start, o.top - o.bottom
    heights = (o.bottom + bar / 2, o.top - bar / 2, o.bottom + rise * 0.68)
    solids = [box((middle, y, z), (span, bar, bar), trim) for y in heights]
    solids += [box((x, o.bottom + rise / 2, z), (bar, rise, bar), trim)
               for x in (o.start + bar / 2, o.end - bar / 2, middle)]  # fmt: skip
    return solids

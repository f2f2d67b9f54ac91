"""Furniture as groups of solids, on the floor at its own origin: x to the right, its front towards the viewer.

`placed` moves a piece to its place. Colours come as a Palette, so many rooms can use one sofa. Seats and tables are
here, the smaller things on and beside them in furnishings.py.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

from sixpence_studio.scene.materials import Material
from sixpence_studio.scene.solids import Solid, Vector, box, egg, pillow, round_post, soft_box
from sixpence_studio.scene.textures import marble, on_faces, weave, wood

Piece = list[Solid]


@dataclass(frozen=True)
class Palette:
    """The colours a set of furniture is made in."""

    fabric: str = "#c9c2b4"
    second_fabric: str = "#8d9a8c"
    accent: str = "#c2703d"
    timber: str = "#a87b4f"
    metal: str = "#2c2b2a"
    stone: str = "#e8e4dc"
    green: str = "#55733f"


def placed(piece: Iterable[Solid], at: Vector, *, turn: float = 0.0) -> Piece:
    """The piece turned about the vertical (radians, counter-clockwise seen from above) and moved to `at`."""
    ct, st = math.cos(turn), math.sin(turn)
    moved = []
    for solid in piece:
        x, y, z = solid.centre
        centre = (at[0] + x * ct + z * st, at[1] + y, at[2] - x * st + z * ct)
        moved.append(replace(solid, centre=centre, turn=solid.turn + turn))
    return moved


def cloth(colour: str, *, depth: float = 0.2) -> Material:
    """A woven fabric."""
    return Material(colour, on_faces(weave(depth=depth)))


def timber(colour: str, *, turned: bool = False, gloss: float = 0.03) -> Material:
    """Oiled wood, its grain along x (or along the other way of each face)."""
    return Material(colour, on_faces(wood(), turned=turned), gloss=gloss, blur=0.12)


def sofa(palette: Palette, *, width: float = 2.2, seats: int = 3) -> Piece:
    """A sofa with loose cushions, 0.95 m deep."""
    fabric, leg = cloth(palette.fabric), timber(palette.timber, turned=True)
    depth, arm = 0.95, 0.17
    solids = [
        soft_box((0, 0.24, 0.02), (width, 0.2, depth - 0.04), fabric, rounding=0.05),
        soft_box((0, 0.48, depth / 2 - 0.1), (width, 0.66, 0.2), fabric, rounding=0.08),
    ]
    for side in (-1, 1):
        solids.append(soft_box((side * (width / 2 - arm / 2), 0.4, 0), (arm, 0.44, depth), fabric, rounding=0.07))
        solids += [
            round_post((side * (width / 2 - 0.12), 0.07, z), (0.05, 0.14, 0.05), leg, top=1.5) for z in (-0.36, 0.36)
        ]
    span = (width - 2 * arm) / seats
    for k in range(seats):
        x = -width / 2 + arm + span * (k + 0.5)
        solids.append(soft_box((x, 0.41, -0.09), (span - 0.012, 0.17, 0.72), fabric, rounding=0.06))
        solids.append(soft_box((x, 0.68, 0.2), (span - 0.02, 0.44, 0.2), fabric, rounding=0.09, lean=0.2))
    accent, second = cloth(palette.accent, depth=0.3), cloth(palette.second_fabric, depth=0.3)
    left, right = -width / 2 + arm + 0.22, width / 2 - arm - 0.22
    solids.append(pillow((left, 0.68, 0.02), (0.46, 0.46, 0.2), accent, lean=0.32, turn=0.16))
    solids.append(pillow((left + 0.33, 0.64, -0.03), (0.4, 0.38, 0.17), second, lean=0.38, turn=-0.1))
    solids.append(pillow((right, 0.67, 0.02), (0.45, 0.45, 0.2), second, lean=0.32, turn=-0.2))
    return solids


def armchair(palette: Palette) -> Piece:
    """A rounded easy chair, 0.8 m wide."""
    fabric, leg = cloth(palette.second_fabric), timber(palette.timber, turned=True)
    solids = [
        soft_box((0, 0.33, 0), (0.78, 0.16, 0.76), fabric, rounding=0.07),
        soft_box((0, 0.44, -0.05), (0.6, 0.14, 0.62), fabric, rounding=0.065),
        soft_box((0, 0.66, 0.31), (0.74, 0.58, 0.18), fabric, rounding=0.088, lean=0.16),
    ]
    for side in (-1, 1):
        solids.append(soft_box((side * 0.36, 0.5, 0.04), (0.13, 0.32, 0.66), fabric, rounding=0.062))
        solids += [
            round_post((side * 0.3, 0.13, z), (0.045, 0.26, 0.045), leg, top=1.6, lean=-0.12 if z < 0 else 0.12)
            for z in (-0.28, 0.28)
        ]
    solids.append(pillow((0.02, 0.64, 0.14), (0.42, 0.36, 0.17), cloth(palette.accent), lean=0.3))
    return solids


def coffee_table(palette: Palette, *, width: float = 1.1) -> Piece:
    """A low round-edged table, with a shelf, a few books and a bowl."""
    top, leg = timber(palette.timber), timber(palette.timber, turned=True)
    stone = Material(palette.stone, gloss=0.05, blur=0.05)
    solids = [
        soft_box((0, 0.39, 0), (width, 0.045, 0.62), top, rounding=0.02),
        soft_box((0, 0.16, 0), (width - 0.16, 0.025, 0.48), top, rounding=0.011),
    ]
    solids += [
        round_post((sx * (width / 2 - 0.08), 0.19, sz * 0.24), (0.05, 0.38, 0.05), leg, top=1.3)
        for sx in (-1, 1) for sz in (-1, 1)
    ]  # fmt: skip
    solids += [
        soft_box((-0.2, 0.427, 0.03), (0.3, 0.028, 0.22), Material(palette.accent), rounding=0.005, turn=0.2),
        soft_box((-0.19, 0.452, 0.03), (0.26, 0.022, 0.19), Material(palette.stone), rounding=0.005, turn=0.05),
        egg((0.24, 0.46, 0.0), (0.25, 0.12, 0.25), stone),
    ]
    return solids


def round_table(palette: Palette, *, width: float = 0.5, height: float = 0.5) -> Piece:
    """A small side table of stone on one post."""
    stone = Material(palette.stone, on_faces(marble()), gloss=0.06, blur=0.03)
    metal = Material(palette.metal, gloss=0.08, blur=0.1)
    return [
        round_post((0, height - 0.015, 0), (width, 0.03, width), stone),
        round_post((0, height / 2, 0), (0.04, height - 0.03, 0.04), metal),
        round_post((0, 0.012, 0), (width * 0.62, 0.024, width * 0.62), metal),
    ]


def dining_table(palette: Palette, *, width: float = 1.9, depth: float = 0.95) -> Piece:
    """A long table on four leaning legs."""
    top, leg = timber(palette.timber), timber(palette.timber, turned=True)
    solids = [
        soft_box((0, 0.735, 0), (width, 0.04, depth), top, rounding=0.018),
        box((0, 0.685, 0), (width - 0.3, 0.06, depth - 0.24), top),
    ]
    solids += [
        round_post((sx * (width / 2 - 0.14), 0.357, sz * (depth / 2 - 0.13)), (0.075, 0.715, 0.075), leg, top=1.7,
                   lean=sz * -0.06, roll=sx * 0.06)
        for sx in (-1, 1) for sz in (-1, 1)
    ]  # fmt: skip
    return solids


def dining_chair(palette: Palette) -> Piece:
    """A chair with an upholstered seat and back."""
    fabric, leg = cloth(palette.second_fabric), timber(palette.timber, turned=True)
    solids = [
        soft_box((0, 0.46, 0), (0.47, 0.07, 0.46), fabric, rounding=0.033),
        soft_box((0, 0.72, 0.23), (0.45, 0.34, 0.055), fabric, rounding=0.026, lean=0.17),
    ]
    for sx in (-1, 1):
        solids.append(round_post((sx * 0.19, 0.22, -0.18), (0.04, 0.44, 0.04), leg, top=1.3, lean=-0.06))
        solids.append(round_post((sx * 0.19, 0.22, 0.19), (0.04, 0.45, 0.04), leg, top=1.3, lean=0.1))
        solids.append(soft_box((sx * 0.19, 0.6, 0.225), (0.03, 0.34, 0.03), leg, rounding=0.014, lean=0.17))
    return solids


def bed(palette: Palette, *, width: float = 1.7, length: float = 2.1) -> Piece:
    """A double bed, its head away from the viewer, with a cover turned back and pillows."""
    frame, linen = cloth(palette.second_fabric), cloth("#ece8e0", depth=0.07)
    cover = cloth(palette.fabric, depth=0.14)
    head = length / 2
    solids = [
        soft_box((0, 0.2, 0), (width + 0.08, 0.22, length + 0.04), frame, rounding=0.04),
        soft_box((0, 0.4, 0), (width, 0.24, length), linen, rounding=0.09),
        soft_box((0, 0.42, -0.28), (width + 0.1, 0.27, length - 0.52), cover, rounding=0.1),
        soft_box((0, 0.555, 0.42), (width + 0.08, 0.07, 0.36), linen, rounding=0.034),
        soft_box((0, 0.56, -0.72), (width + 0.13, 0.06, 0.62), cloth(palette.accent, depth=0.3), rounding=0.028),
        soft_box((0, 0.4, -0.72), (width + 0.125, 0.27, 0.62), cloth(palette.accent, depth=0.3), rounding=0.05),
        soft_box((0, 0.68, head + 0.06), (width + 0.24, 0.92, 0.12), frame, rounding=0.055),
    ]
    for side in (-1, 1):
        x = side * width * 0.25
        solids.append(pillow((x, 0.76, head - 0.16), (0.72, 0.5, 0.24), linen, lean=0.45))
        solids.append(pillow((x * 0.94, 0.7, head - 0.36), (0.62, 0.4, 0.22), cloth(palette.fabric), lean=0.55))
        solids += [round_post((side * (width / 2 - 0.1), 0.05, z), (0.06, 0.1, 0.06), timber(palette.timber))
                   for z in (-0.95, 0.95)]  # fmt: skip
    solids.append(pillow((0, 0.66, head - 0.54), (0.52, 0.3, 0.18), cloth(palette.accent, depth=0.3), lean=0.65))
    return solids


def desk(palette: Palette, *, width: float = 1.5) -> Piece:
    """A writing desk with drawers at one side."""
    top, leg = timber(palette.timber), timber(palette.timber, turned=True)
    metal = Material(palette.metal, gloss=0.05, blur=0.1)
    solids = [
        soft_box((0, 0.735, 0), (width, 0.035, 0.7), top, rounding=0.014),
        soft_box((width / 2 - 0.24, 0.5, 0.02), (0.4, 0.42, 0.6), top, rounding=0.012),
    ]
    for k in range(3):
        y = 0.63 - 0.135 * k
        solids.append(soft_box((width / 2 - 0.24, y, -0.288), (0.38, 0.125, 0.02), top, rounding=0.006))
        solids.append(box((width / 2 - 0.24, y + 0.035, -0.303), (0.12, 0.012, 0.016), metal))
    for x in (-width / 2 + 0.08, width / 2 - 0.08):
        height = 0.72 if x < 0 else 0.3
        solids += [round_post((x, height / 2, z), (0.05, height, 0.05), leg, top=1.4) for z in (-0.27, 0.27)]
    return solids

"""The smaller things of a room as groups of solids at their own origin: lamps, plants, rugs, pictures, shelves."""

import math
import random
from dataclasses import replace

from sixpence_studio.scene.furniture import Palette, Piece, cloth, timber
from sixpence_studio.scene.materials import Material
from sixpence_studio.scene.solids import Solid, box, egg, round_post, soft_box
from sixpence_studio.scene.textures import on_faces, stripes, weave

WARM_WHITE = "#ffe2b4"


def floor_lamp(palette: Palette, *, height: float = 1.55, glow: float = 2.6) -> Piece:
    """A floor lamp with a cloth shade that shines."""
    metal = Material(palette.metal, gloss=0.08, blur=0.08)
    return [
        round_post((0, 0.015, 0), (0.3, 0.03, 0.3), metal),
        round_post((0, height / 2, 0), (0.025, height, 0.025), metal),
        _shade((0, height, 0), 0.4, 0.3, glow),
    ]


def table_lamp(palette: Palette, *, glow: float = 2.6) -> Piece:
    """A lamp with a round stone foot."""
    return [
        egg((0, 0.12, 0), (0.17, 0.24, 0.17), Material(palette.second_fabric, gloss=0.06, blur=0.05)),
        round_post((0, 0.26, 0), (0.02, 0.12, 0.02), Material(palette.metal)),
        _shade((0, 0.4, 0), 0.3, 0.2, glow),
    ]


def hanging_lamp(palette: Palette, *, drop: float = 0.9, width: float = 0.46, glow: float = 3.0) -> Piece:
    """A lamp that hangs `drop` below its origin on the ceiling."""
    shade = Material(palette.accent, gloss=0.05, blur=0.1)
    bulb = egg((0, -drop - 0.14, 0), (0.11, 0.11, 0.11), Material(WARM_WHITE, glow=glow))
    return [
        round_post((0, -drop / 2, 0), (0.012, drop, 0.012), Material(palette.metal)),
        round_post((0, -drop - 0.04, 0), (width, 0.2, width), shade, top=0.3),
        replace(bulb, casts_shadow=False),
    ]


def plant(palette: Palette, *, height: float = 1.3, leaves: int = 26, seed: int = 1) -> Piece:
    """A pot with long leaves that arch outwards."""
    chance = random.Random(seed)
    pot = Material(palette.stone, on_faces(weave(depth=0.1)))
    pot_height = height * 0.27
    solids = [
        round_post((0, pot_height / 2, 0), (pot_height * 1.05, pot_height, pot_height * 1.05), pot, top=1.25),
        round_post((0, pot_height - 0.02, 0), (pot_height * 0.98, 0.045, pot_height * 0.98), Material("#2f241b")),
    ]
    greens = (palette.green, _shifted(palette.green, 1.22), _shifted(palette.green, 0.8))
    for k in range(leaves):
        angle = k * 2.399963 + chance.uniform(-0.25, 0.25)
        rise = 0.15 + 0.85 * (k + 0.5) / leaves
        length = height * (0.34 - 0.12 * rise) * chance.uniform(0.85, 1.15)
        tilt = 1.25 - 1.0 * rise + chance.uniform(-0.12, 0.12)
        reach = height * 0.06 + math.sin(tilt) * length * 0.62
        y = pot_height + (height - pot_height) * rise * 0.72 + math.cos(tilt) * length * 0.3
        leaf = Material(greens[k % 3], gloss=0.035, blur=0.15)
        centre = (math.sin(angle) * reach, y, math.cos(angle) * reach)
        solids.append(egg(centre, (length * 0.42, length * 1.25, 0.03), leaf, turn=angle, lean=tilt))
        if k % 2 == 0:
            solids.append(round_post((centre[0] / 2, (pot_height + y) / 2, centre[2] / 2),
                                     (0.014, math.hypot(y - pot_height, reach) * 1.02, 0.014), Material("#4d5a33"),
                                     turn=angle, lean=math.atan2(reach, max(0.05, y - pot_height))))  # fmt: skip
    return solids


def rug(colour: str, other: tuple[float, float, float], *, width: float = 2.6, depth: float = 1.8,
        period: float = 0.22) -> Piece:  # fmt: skip
    """A striped rug with a plain rim."""
    return [
        soft_box((0, 0.008, 0), (width, 0.016, depth), cloth(colour, depth=0.35), rounding=0.007),
        soft_box((0, 0.012, 0), (width - 0.16, 0.014, depth - 0.16),
                 Material(colour, on_faces(stripes(period, 0.34, other))), rounding=0.006),
    ]  # fmt: skip


def shelf(palette: Palette, *, width: float = 1.0, height: float = 1.9, boards: int = 5, seed: int = 4) -> Piece:
    """An open bookcase with books and a few things in it, 0.32 m deep."""
    chance, wooden = random.Random(seed), timber(palette.timber)
    upright = timber(palette.timber, turned=True)
    solids = [box((side * (width / 2 - 0.012), height / 2, 0), (0.024, height, 0.32), upright)
              for side in (-1, 1)]  # fmt: skip
    colours = [palette.accent, palette.second_fabric, palette.stone, palette.fabric, "#3d4b57", "#d8c7a3", "#7d3f34"]
    for k in range(boards + 1):
        y = 0.012 + (height - 0.024) * k / boards
        solids.append(box((0, y, 0), (width - 0.04, 0.024, 0.32), wooden))
        if k == boards:
            break
        room = (height - 0.024) / boards - 0.03
        x = -width / 2 + 0.05
        end = x + (width - 0.1) * chance.uniform(0.45, 0.95)
        while x < end:
            thick, tall = chance.uniform(0.022, 0.05), room * chance.uniform(0.6, 0.9)
            book = Material(chance.choice(colours))
            solids.append(box((x + thick / 2, y + 0.012 + tall / 2, 0.02), (thick - 0.003, tall, 0.2), book))
            x += thick
        if end < width / 2 - 0.25:
            vase = Material(chance.choice(colours), gloss=0.05, blur=0.05)
            solids.append(egg(((end + width / 2) / 2, y + 0.1, 0), (0.14, 0.18, 0.14), vase))
    return solids


def picture(colours: tuple[str, str, str, str], *, width: float = 0.7, height: float = 0.95,
            frame: str = "#2d2a27") -> Piece:  # fmt: skip
    """A framed abstract painting, its middle at the origin, its back to the wall behind (z = 0)."""
    ground, first, second, third = (Material(c) for c in colours)
    w, h = width, height
    return [
        box((0, 0, -0.015), (w, h, 0.03), Material(frame)),
        box((0, 0, -0.03), (w - 0.04, h - 0.04, 0.006), Material("#f4f1ea")),
        box((0, 0, -0.034), (w * 0.74, h * 0.76, 0.004), ground),
        egg((-w * 0.08, h * 0.1, -0.035), (w * 0.4, w * 0.4, 0.009), first),
        box((w * 0.06, -h * 0.2, -0.035), (w * 0.62, h * 0.2, 0.008), second),
        egg((w * 0.14, -h * 0.08, -0.036), (w * 0.34, h * 0.22, 0.012), third),
    ]


def screen(*, width: float = 0.62) -> Piece:
    """A computer screen on a foot, with a keyboard before it."""
    dark, grey = Material("#17181b", gloss=0.06, blur=0.02), Material("#b9bbbd", gloss=0.05, blur=0.1)
    return [
        soft_box((0, 0.32, 0.05), (width, 0.37, 0.025), dark, rounding=0.01),
        box((0, 0.32, 0.036), (width - 0.03, 0.34, 0.004), Material("#3d5f78", glow=0.55)),
        box((0, 0.12, 0.07), (0.05, 0.24, 0.02), grey),
        soft_box((0, 0.008, 0.06), (0.22, 0.014, 0.17), grey, rounding=0.006),
        soft_box((-0.02, 0.01, -0.17), (0.42, 0.018, 0.13), Material("#dcdcda"), rounding=0.007),
    ]


def vase(palette: Palette, *, height: float = 0.26, twigs: int = 7, seed: int = 2) -> Piece:
    """A vase with flowering twigs."""
    chance = random.Random(seed)
    solids = [egg((0, height * 0.42, 0), (height * 0.62, height * 0.86, height * 0.62),
                  Material(palette.stone, gloss=0.06, blur=0.04)),
              round_post((0, height * 0.88, 0), (height * 0.22, height * 0.26, height * 0.22),
                         Material(palette.stone), top=1.25)]  # fmt: skip
    for k in range(twigs):
        angle, lean = k * 2.4, chance.uniform(0.12, 0.45)
        length = height * chance.uniform(1.3, 2.0)
        middle = height + math.cos(lean) * length / 2
        out = math.sin(lean) * length / 2
        solids.append(round_post((math.sin(angle) * out, middle, math.cos(angle) * out), (0.009, length, 0.009),
                                 Material("#6a5a3c"), turn=angle, lean=lean))  # fmt: skip
        for j in range(4):
            share = 0.55 + 0.16 * j
            solids.append(egg((math.sin(angle) * out * 2 * share + chance.uniform(-0.025, 0.025),
                               height + math.cos(lean) * length * share,
                               math.cos(angle) * out * 2 * share + chance.uniform(-0.025, 0.025)),
                              (0.045, 0.06, 0.04), Material(palette.green if j % 2 else palette.accent)))  # fmt: skip
    return solids


def _shade(centre: tuple[float, float, float], width: float, height: float, glow: float) -> Solid:
    shining = Material(WARM_WHITE, on_faces(weave(depth=0.1)), glow=glow)
    return replace(round_post(centre, (width, height, width), shining, top=0.72), casts_shadow=False)


def _shifted(colour: str, factor: float) -> str:
    return "#" + "".join(f"{min(255, round(int(colour[i : i + 2], 16) * factor)):02x}" for i in (1, 3, 5))

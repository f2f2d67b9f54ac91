"""The six styles of a room: the materials of walls, floor and furniture, and the light."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from sixpence_studio.generators.painting.tones import colour
from sixpence_studio.scene.materials import linear, to_light
from sixpence_studio.scene.noise import Floats
from sixpence_studio.scene.textures import Texture, bricks, checkerboard, concrete, herringbone, planks, plaster, tiles

# Places on a wall (metres along it, metres above the floor) to amounts of light, shape (3, N).
WallPaint = Callable[[Floats, Floats], Floats]


@dataclass(frozen=True)
class Style:
    """A style: materials, colours and light."""

    name: str
    title: str
    floor_colour: str
    floor: Texture
    wall: WallPaint
    wall_brightness: float
    ceiling: str
    timber: str
    fabric: str
    accent: str
    second_accent: str
    dark: str
    gloss: float = 0.0
    warmth: float = 0.0
    contrast: float = 1.0
    saturation: float = 1.0


def plain(written: str, texture: Texture) -> WallPaint:
    """A wall in one colour."""

    def paint(along: Floats, above: Floats) -> Floats:
        return linear(written)[:, None] * texture(along, above)

    return paint


def dado(upper: str, lower: str, height: float, *, line: str) -> WallPaint:
    """Two coats of limewash, with a thin line between them at a height."""
    wash = plaster(depth=0.1, seed=14)

    def paint(along: Floats, above: Floats) -> Floats:
        coat = np.where(above[None] > height, linear(upper)[:, None], linear(lower)[:, None])
        stripe = (np.abs(above - height) < 0.018)[None]
        return np.asarray(np.where(stripe, linear(line)[:, None], coat) * wash(along, above), np.float32)

    return paint


def slats(upper: str, wood: str, height: float) -> WallPaint:
    """Upright wooden slats up to a height, clay plaster above."""
    clay, boards = plaster(depth=0.06, seed=15), planks(0.075, 9.0, variety=0.1, seed=16)

    def paint(along: Floats, above: Floats) -> Floats:
        across = np.mod(along / 0.075, 1)
        relief = np.clip(np.minimum(across, 1 - across) * 9, 0.18, 1) * (1.08 - 0.28 * across)
        timbered = linear(wood)[:, None] * boards(along, above) * relief
        timbered = np.where((above > height - 0.045)[None], linear(wood)[:, None] * 0.8, timbered)
        return np.asarray(
            np.where(above[None] > height, linear(upper)[:, None] * clay(along, above), timbered), np.float32
        )

    return paint


def panels(ground: str, metal: str) -> WallPaint:
    """Painted panels framed in thin lines of metal, with stepped corners."""
    coat = plaster(depth=0.03, seed=18)

    def paint(along: Floats, above: Floats) -> Floats:
        x = np.abs(np.mod(along + 0.55, 1.1) - 0.55)
        edge_x, low, high = 0.45 - x, above - 0.28, 2.3 - above
        inside = np.minimum(edge_x, np.minimum(low, high))
        notch = np.minimum(0.45 - x, high) > 0
        corner = np.maximum(0.1 - edge_x, 0.1 - high)
        inside = np.where(notch & (edge_x < 0.1) & (high < 0.1), -np.abs(corner) * 0.4, inside)
        lines = np.maximum(np.exp(-((inside / 0.009) ** 2)), 0.8 * np.exp(-(((inside - 0.05) / 0.005) ** 2)))
        fan_angle = np.arctan2(x, np.maximum(above - 0.34, 1e-3))
        fan = np.hypot(x, above - 0.34)
        rays = np.exp(-((np.sin(fan_angle * 11) / 0.16) ** 2)) * (fan < 0.3) * (above > 0.34)
        share = np.clip(np.maximum(lines, 0.75 * rays), 0, 1)[None]
        shade = linear(ground)[:, None] * coat(along, above) * np.where(inside > 0, 1.12, 0.94)
        return np.asarray(shade * (1 - share) + linear(metal)[:, None] * share, np.float32)

    return paint


def brickwork(written: str, band: str, height: float) -> WallPaint:
    """Brick above a painted base."""
    wall, base = bricks(), concrete(seed=19)

    def paint(along: Floats, above: Floats) -> Floats:
        upper, lower = linear(written)[:, None] * wall(along, above), linear(band)[:, None] * base(along, above)
        return np.asarray(np.where(above[None] > height, upper, lower), np.float32)

    return paint


def average(written: str) -> float:
    """How light a colour is, as an amount of light."""
    return float(to_light(colour(written)).mean())


STYLES: tuple[Style, ...] = (
    Style("scandinavian", "Scandinavian", "#dcc6a4", planks(0.19, 2.1, variety=0.07, seed=2),
          plain("#eeece7", plaster(depth=0.018)), 1.0, "#f6f6f3", "#cfae80", "#c9ced0", "#6d93ad", "#e0b84f", "#3a4047",
          warmth=0.0, saturation=0.96, contrast=1.02),
    Style("japandi", "Japandi", "#a98f72", planks(0.24, 2.4, variety=0.08, seed=6),
          slats("#cdbfa9", "#8d6b48", 1.12), 0.95, "#e9e1d3", "#7b5a3c", "#b9ad99", "#7d8468", "#a4634a", "#2b2723",
          warmth=0.02, saturation=0.86, contrast=1.02),
    Style("industrial", "Industrial", "#8f8f8d", concrete(panel=1.6),
          brickwork("#97563f", "#55595b", 0.0), 0.9, "#8b8d8e", "#5e4430", "#6d6f72", "#b5682c", "#7c7466", "#1e1f21",
          gloss=0.1, warmth=0.012, contrast=1.12, saturation=0.92),
    Style("bohemian", "Bohemian", "#a27a56", herringbone(0.1, 5, variety=0.2),
          dado("#e9d3ae", "#b0634a", 1.05, line="#f1e2c4"), 1.0, "#f0e3cb", "#94582f", "#c98a4b", "#a8324f", "#2f8c85",
          "#4a2a2a", warmth=0.01, saturation=0.94, contrast=1.03),
    Style("mediterranean", "Mediterranean", "#b8765a", tiles(0.33, variety=0.16, joint=0.009, seed=12),
          dado("#f4efe4", "#3f83a6", 0.62, line="#f6f1e6"), 1.04, "#f7f2e8", "#8a5c36", "#e8e0d0", "#2f7fb0", "#e0a43c",
          "#3b4d57", warmth=0.012, saturation=1.0, contrast=1.04),
    Style("art-deco", "Art deco", "#ece7dd", checkerboard(0.62, dark=0.045),
          panels("#1f4a45", "#d9b25c"), 1.0, "#efe6d0", "#3a2417", "#2c5f63", "#c9973f", "#9d3f52", "#141414",
          gloss=0.2, warmth=0.03, contrast=1.1, saturation=1.08),
)  # fmt: skip


def get_style(name: str) -> Style:
    """Return the style with that name; raises KeyError."""
    return {style.name: style for style in STYLES}[name]

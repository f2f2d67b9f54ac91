"""The patterns of building materials, computed on a flat surface measured in metres.

Each texture takes the places (u, v) and gives the factors (3, N) to multiply a plain colour with, about 1 on average.
`on_faces` lays one over the faces of a solid. Not here: anything about pictures or their parts.
"""

from collections.abc import Callable

import numpy as np

from sixpence_studio.scene.materials import Pattern
from sixpence_studio.scene.noise import Floats, cell_value, fbm, smooth_noise

Texture = Callable[[Floats, Floats], Floats]


def on_faces(texture: Texture, *, scale: float = 1.0, turned: bool = False) -> Pattern:
    """The texture laid over a solid's faces, `scale` times as large, `turned` by a quarter where wanted."""

    def pattern(local: Floats, normal: Floats) -> Floats:
        ax, ay, az = np.abs(normal)
        flat_top, facing_x = (ay >= ax) & (ay >= az), ax > az
        u = np.where(flat_top, local[0], np.where(facing_x, local[2], local[0])) / np.float32(scale)
        v = np.where(flat_top, local[2], local[1]) / np.float32(scale)
        return texture(v, u) if turned else texture(u, v)

    return pattern


def planks(width: float = 0.16, length: float = 1.7, *, variety: float = 0.16, seed: int = 1) -> Texture:
    """Boards along v, staggered, each with its own tone and grain."""

    def texture(u: Floats, v: Floats) -> Floats:
        row = np.floor(u / width).astype(np.int64)
        shifted = v / length + cell_value(row, np.zeros_like(row), seed=seed) * 5
        board = np.floor(shifted).astype(np.int64)
        tone = 1 + variety * (cell_value(row, board, seed=seed + 1) - 0.5) * 2
        offset = cell_value(row, board, seed=seed + 2) * 40
        across, along = u / width - row, shifted - board
        grain = fbm(u * 42 + offset, v * 2.4 + offset, seed=seed, octaves=3)
        rings = np.sin((across * 3 + 0.9 * smooth_noise(u * 9 + offset, v * 0.8 + offset, seed=seed)) * 9)
        shade = tone * (1 + 0.085 * grain + 0.035 * rings)
        gap = np.minimum(np.minimum(across, 1 - across) * width, np.minimum(along, 1 - along) * length)
        shade *= 1 - 0.55 * np.exp(-((gap / 0.0022) ** 2))
        warmth = (cell_value(row, board, seed=seed + 3) - 0.5) * 0.08 + 0.03 * grain
        return _tinted(shade, warmth)

    return texture


def herringbone(width: float = 0.1, ratio: int = 5, *, variety: float = 0.13, seed: int = 3) -> Texture:
    """Short boards laid in a zigzag."""

    def texture(u: Floats, v: Floats) -> Floats:
        a, b = (u + v) / (width * np.float32(1.4142)), (v - u) / (width * np.float32(1.4142))
        i, j = np.floor(a).astype(np.int64), np.floor(b).astype(np.int64)
        phase = np.mod(i - j, 2 * ratio)
        lying = phase < ratio
        along = np.where(lying, phase + (a - i), phase - ratio + (1 - (b - j)))
        across = np.where(lying, b - j, a - i)
        first = np.where(lying, i - phase, i)
        second = np.where(lying, j, j + (phase - ratio))
        tone = 1 + variety * (cell_value(first * 7 + lying, second, seed=seed) - 0.5) * 2
        offset = cell_value(first, second, seed=seed + 1) * 40
        grain = fbm(across * width * 60 + offset, along * width * 5 + offset, seed=seed, octaves=3)
        gap = np.minimum(np.minimum(across, 1 - across), np.minimum(along, ratio - along)) * width
        shade = tone * (1 + 0.08 * grain) * (1 - 0.5 * np.exp(-((gap / 0.002) ** 2)))
        return _tinted(shade, 0.04 * grain)

    return texture


def plaster(*, depth: float = 0.05, seed: int = 5) -> Texture:
    """A trowelled wall: broad clouds and fine strokes."""

    def texture(u: Floats, v: Floats) -> Floats:
        clouds = fbm(u * 1.7, v * 1.7, seed=seed, octaves=4)
        strokes = fbm(u * 5 + clouds, v * 13, seed=seed + 5, octaves=3)
        return _tinted(1 + depth * (0.75 * clouds + 0.45 * strokes), 0.15 * depth * clouds)

    return texture


def concrete(*, panel: float = 1.3, seed: int = 8) -> Texture:
    """Cast panels with joints, ties and stains."""

    def texture(u: Floats, v: Floats) -> Floats:
        clouds = fbm(u * 1.1, v * 1.1, seed=seed, octaves=5)
        speckle = smooth_noise(u * 60, v * 60, seed=seed + 1)
        a, b = u / panel, v / panel
        i, j = np.floor(a), np.floor(b)
        gap = np.minimum(np.minimum(a - i, i + 1 - a), np.minimum(b - j, j + 1 - b)) * panel
        tone = 1 + 0.05 * (cell_value(i.astype(np.int64), j.astype(np.int64), seed=seed) - 0.5)
        shade = tone * (1 + 0.12 * clouds + 0.025 * speckle) * (1 - 0.35 * np.exp(-((gap / 0.005) ** 2)))
        holes = np.hypot(np.abs(a - i - 0.5) - 0.3, np.abs(b - j - 0.5) - 0.3) * panel
        return _tinted(shade * (1 - 0.45 * (holes < 0.016)), 0.0)

    return texture


def bricks(width: float = 0.25, height: float = 0.078, *, seed: int = 9) -> Texture:
    """A brick wall with pale joints."""

    def texture(u: Floats, v: Floats) -> Floats:
        row = np.floor(v / height).astype(np.int64)
        shifted = u / width + 0.5 * (row % 2)
        column = np.floor(shifted).astype(np.int64)
        tone = 1 + 0.42 * (cell_value(row, column, seed=seed) - 0.5)
        grain = fbm(u * 30, v * 30, seed=seed, octaves=3)
        across, along = shifted - column, v / height - row
        gap = np.minimum(np.minimum(across, 1 - across) * width, np.minimum(along, 1 - along) * height)
        body = _tinted(tone * (1 + 0.16 * grain), 0.12 * (cell_value(row, column, seed=seed + 1) - 0.5))
        joint = np.clip(1.4 - gap / 0.0075, 0, 1) * 0.85
        mortar = np.array([1.25, 1.9, 2.2], np.float32)[:, None] * (1 + 0.1 * grain)
        return np.asarray(body * (1 - joint) + mortar * joint, np.float32)

    return texture


def tiles(size: float = 0.3, *, stretch: float = 1.0, variety: float = 0.06, joint: float = 0.005,
          seed: int = 11) -> Texture:  # fmt: skip
    """Tiles `stretch` times as long in u as in v, with joints."""

    def texture(u: Floats, v: Floats) -> Floats:
        a, b = u / (size * stretch), v / size
        i, j = np.floor(a).astype(np.int64), np.floor(b).astype(np.int64)
        tone = 1 + variety * (cell_value(i, j, seed=seed) - 0.5) * 2
        cloud = fbm(u * 4 + i, v * 4 + j, seed=seed, octaves=3)
        gap = np.minimum(np.minimum(a - i, i + 1 - a) * size * stretch, np.minimum(b - j, j + 1 - b) * size)
        shade = tone * (1 + 0.5 * variety * cloud) * (1 - 0.3 * np.exp(-((gap / joint) ** 2)))
        return _tinted(shade, 0.3 * variety * cloud)

    return texture


def checkerboard(size: float = 0.4, *, dark: float = 0.16, seed: int = 13) -> Texture:
    """Polished stone in light and dark squares, veined."""

    def texture(u: Floats, v: Floats) -> Floats:
        a, b = (u + v) / (size * np.float32(1.4142)), (u - v) / (size * np.float32(1.4142))
        i, j = np.floor(a).astype(np.int64), np.floor(b).astype(np.int64)
        even = ((i + j) % 2 == 0).astype(np.float32)
        vein = 1 - np.abs(fbm(u * 1.6 + i * 3.0, v * 1.6 + j * 5.0, seed=seed, octaves=4))
        light = even * (1.12 - 0.22 * np.clip(vein - 0.82, 0, 1) * 5)
        deep = (1 - even) * (dark + 0.3 * np.clip(vein - 0.9, 0, 1) * 5)
        gap = np.minimum(np.minimum(a - i, i + 1 - a), np.minimum(b - j, j + 1 - b)) * size
        return _tinted((light + deep) * (1 - 0.3 * np.exp(-((gap / 0.003) ** 2))), 0.0)

    return texture


def weave(thread: float = 0.006, *, depth: float = 0.16, seed: int = 19) -> Texture:
    """Cloth seen from near: threads over and under, with slubs."""

    def texture(u: Floats, v: Floats) -> Floats:
        slub = fbm(u * 55, v * 55, seed=seed, octaves=2)
        threads = np.sin(u / thread * 3.1416) * np.sin(v / thread * 3.1416)
        return _tinted(1 + depth * (0.45 * slub + 0.3 * threads), 0.05 * depth * slub)

    return texture


def wood(*, depth: float = 0.13, seed: int = 23) -> Texture:
    """One piece of timber, its grain along u."""

    def texture(u: Floats, v: Floats) -> Floats:
        bend = 0.5 * smooth_noise(u * 1.5, v * 3, seed=seed)
        rings = np.sin((v * 14 + bend) * 6)
        grain = fbm(u * 3, v * 50 + bend, seed=seed, octaves=3)
        return _tinted(1 + depth * (0.25 * rings + 0.6 * grain), 0.25 * depth * grain)

    return texture


def marble(*, seed: int = 29) -> Texture:
    """Pale stone with soft grey veins."""

    def texture(u: Floats, v: Floats) -> Floats:
        bend = fbm(u * 1.2, v * 1.2, seed=seed, octaves=4)
        vein = 1 - np.abs(fbm(u * 1.1 + bend * 0.9, v * 1.6 - bend, seed=seed + 6, octaves=4))
        fine = 1 - np.abs(fbm(u * 3.3 - bend, v * 2.6 + bend, seed=seed + 11, octaves=3))
        shade = 1.02 - 0.42 * np.clip(vein - 0.86, 0, 1) * 4 - 0.16 * np.clip(fine - 0.92, 0, 1) * 6 + 0.03 * bend
        return _tinted(shade, -0.02 * bend)

    return texture


def stripes(period: float, ratio: float, other: tuple[float, float, float]) -> Texture:
    """Bands along v: a share `ratio` of each period in another colour, given as factors."""

    def texture(u: Floats, v: Floats) -> Floats:
        cloth = 1 + 0.1 * fbm(u * 60, v * 60, seed=31, octaves=2)
        band = (np.mod(u / period, 1) < ratio)[None]
        return np.asarray(np.where(band, np.asarray(other, np.float32)[:, None], np.float32(1)) * cloth, np.float32)

    return texture


def _tinted(shade: Floats, warmth: Floats | float) -> Floats:
    return np.stack([shade * (1 + warmth), shade, shade * (1 - warmth)]).astype(np.float32)

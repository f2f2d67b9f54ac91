"""`sketch`: the picture as a pencil, ink or watercolour drawing on paper."""

from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np

from sixpence_studio.generators.painting.tones import (
    as_floats,
    as_pixels,
    blurred,
    colour,
    graded,
    luminance,
    mixed,
    places,
)
from sixpence_studio.generators.picture import Picture, jpeg_bytes
from sixpence_studio.generators.protocol import Choice, Option, Result, chosen
from sixpence_studio.scene.noise import Floats, fbm, smooth_noise
from sixpence_studio.scene.resizing import resized


@dataclass(frozen=True)
class Sketch:
    """Draws the picture as if by hand."""

    name: str = "sketch"
    title: str = "Sketch"
    description: str = "Turns the picture into a hand drawing in pencil, ink or watercolour."
    options: tuple[Option, ...] = (
        Choice(
            "technique", "Technique", (("pencil", "Pencil"), ("ink", "Ink"), ("watercolour", "Watercolour")), "pencil"
        ),
    )

    def generate(self, picture: Picture, options: Mapping[str, str], seed: int) -> Result:
        """The drawing, as a JPEG of the same size."""
        technique = chosen(self.options, options)["technique"]
        draw = {"pencil": _pencil, "ink": _ink, "watercolour": _watercolour}[technique]
        return Result("image/jpeg", jpeg_bytes(as_pixels(draw(as_floats(picture), seed % 8))), ".jpg")


def _pencil(values: Floats, seed: int) -> Floats:
    height, width = values.shape[:2]
    grey = _levelled(luminance(values))
    unit = max(height, width) / 1200
    dodge = np.clip(grey / np.maximum(blurred(grey, 9 * unit), 0.05), 0, 1)
    lines = np.clip(1 - (1 - dodge) * 2.6, 0, 1) * (1 - 0.75 * _contours(grey, 1.1 * unit))
    x, y = (p * np.float32(height / unit) for p in places(height, width))
    tooth = _tooth(x, y, seed)
    soft = blurred(grey, 2.0 * unit)
    shade = np.zeros_like(grey)
    for angle, level, strength in ((0.9, 0.86, 0.3), (0.55, 0.62, 0.36), (1.9, 0.42, 0.42), (0.15, 0.26, 0.42)):
        along = x * np.float32(np.cos(angle)) + y * np.float32(np.sin(angle))
        across = -x * np.float32(np.sin(angle)) + y * np.float32(np.cos(angle))
        sway = 3.2 * smooth_noise(along / 170, across / 60, seed=seed + 3)
        stroke = 0.5 + 0.5 * np.sin((across + sway) * 1.15)
        press = 0.62 + 0.5 * smooth_noise(along / 46, across / 4.2, seed=seed + 4)
        shade = np.maximum(shade, np.clip((level - soft) * 3.0, 0, 1) * stroke * press * strength * 1.9)
    graphite = np.clip((1 - lines) * 0.95 + shade * (0.45 + 0.75 * tooth), 0, 0.93)
    wash = np.clip(0.9 - soft, 0, 1) * 0.2 * (0.6 + 0.5 * tooth)
    dark = np.clip(graphite + wash, 0, 0.95) * _vignette(height, width, seed)
    paper = _paper(x, y, "#f7f3ea", seed)
    return mixed(paper, np.broadcast_to(colour("#2b2c31"), values.shape).astype(np.float32), dark)


def _ink(values: Floats, seed: int) -> Floats:
    height, width = values.shape[:2]
    unit = max(height, width) / 1200
    grey = _levelled(luminance(values))
    smooth = _flattened(values, 2)
    flat = _levelled(luminance(smooth))
    lines = np.maximum(_contours(flat, 1.25 * unit), 0.85 * _contours(grey, 0.9 * unit))
    x, y = (p * np.float32(height / unit) for p in places(height, width))
    soft = blurred(flat, 1.5 * unit)
    hatch = np.zeros_like(grey)
    for angle, level, period in ((0.78, 0.76, 7.0), (-0.78, 0.52, 7.0), (0.1, 0.3, 6.0)):
        across = -x * np.float32(np.sin(angle)) + y * np.float32(np.cos(angle))
        across = across + 1.6 * smooth_noise(x / 90, y / 90, seed=seed + 5)
        thickness = np.clip((level - soft) * 2.2, 0, 0.62)
        wave = np.abs(np.mod(across / period, 1) - 0.5) * 2
        hatch = np.maximum(hatch, np.clip((thickness - wave) * period * 0.55, 0, 1) * (thickness > 0.02))
    solid = np.clip((0.13 - soft) * 14, 0, 1)
    ink = np.clip(np.maximum(np.maximum(lines, hatch * 0.92), solid), 0, 1)
    ink = ink * (0.93 + 0.1 * smooth_noise(x / 5, y / 5, seed=seed))
    tint = graded(smooth, saturation=1.25, lift=0.38, warmth=0.02)
    paper = _paper(x, y, "#faf6ec", seed) * mixed(np.ones_like(values), tint, 0.72)
    return mixed(paper, np.broadcast_to(colour("#1b2230"), values.shape).astype(np.float32), np.clip(ink, 0, 1))


def _watercolour(values: Floats, seed: int) -> Floats:
    height, width = values.shape[:2]
    unit = max(height, width) / 1200
    x, y = (p * np.float32(height / unit) for p in places(height, width))
    drift_x = 3.4 * unit * smooth_noise(x / 26, y / 26, seed=seed) + 1.2 * unit * smooth_noise(
        x / 8, y / 8, seed=seed + 1
    )
    drift_y = 3.4 * unit * smooth_noise(x / 26, y / 26, seed=seed + 2) + 1.2 * unit * smooth_noise(
        x / 8, y / 8, seed=seed + 3
    )
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    wet = _displaced(_flattened(values, 4), columns + drift_x, rows + drift_y)
    levels = luminance(wet)
    steps = np.round(levels * 7) / 7
    wet = np.asarray(wet * ((0.55 * levels + 0.45 * steps) / np.maximum(levels, 0.04))[..., None], np.float32)
    wet = graded(wet, saturation=1.45, gamma=0.78, lift=0.09)
    rim = np.abs(levels - blurred(levels, 3.5 * unit))
    bleed = fbm(x / 130, y / 130, seed=seed + 4, octaves=4)
    grain = _tooth(x, y, seed)
    density = 1 + 1.9 * np.clip(rim, 0, 0.16) + 0.2 * bleed + 0.1 * (grain - 0.5)
    paint = np.power(np.clip(wet, 0.02, 1), density[..., None])
    lines = _contours(_levelled(luminance(values)), 1.0 * unit) * (0.4 + 0.3 * grain)
    paint = mixed(paint, np.broadcast_to(colour("#4a423c"), values.shape).astype(np.float32), lines * 0.62)
    paper = _paper(x, y, "#fbf8f1", seed)
    return paper * mixed(np.ones_like(values), paint.astype(np.float32), _vignette(height, width, seed))


def _levelled(grey: Floats) -> Floats:
    low, high = np.percentile(grey[::4, ::4], (1, 97))
    low = min(0.55 * float(low), 0.16)
    return np.asarray(np.clip((grey - low) / max(0.15, float(high - low)), 0, 1), np.float32)


def _contours(grey: Floats, radius: float) -> Floats:
    """Dark lines where brightness changes (an extended difference of Gaussians, Winnemöller 2011)."""
    near, far = blurred(grey, max(0.6, radius)), blurred(grey, max(1.0, radius * 1.6))
    difference = near - 0.985 * far
    line = np.where(difference > 0.004, 1.0, 1 + np.tanh((difference - 0.004) * 42))
    return np.asarray(1 - np.clip(line, 0, 1), np.float32)


def _flattened(values: Floats, rounds: int) -> Floats:
    """Broad areas of even colour, their edges kept, worked out at half size."""
    height, width = values.shape[:2]
    small = resized(values, (width // 2, height // 2), how=cv2.INTER_AREA)
    for _ in range(rounds):
        small = np.asarray(cv2.bilateralFilter(small, 9, 0.12, 5), np.float32)
    return np.asarray(resized(small, (width, height), how=cv2.INTER_CUBIC), np.float32)


def _displaced(values: Floats, columns: Floats, rows: Floats) -> Floats:
    maps = columns.astype(np.float32), rows.astype(np.float32)
    return np.asarray(cv2.remap(values, *maps, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT), np.float32)


def _tooth(x: Floats, y: Floats, seed: int) -> Floats:
    coarse, fine = smooth_noise(x / 5, y / 5, seed=seed + 7), smooth_noise(x / 2.3, y / 2.3, seed=seed + 6)
    return np.clip(0.5 + 0.42 * fine + 0.3 * coarse, 0, 1)


def _paper(x: Floats, y: Floats, tone: str, seed: int) -> Floats:
    relief = 0.018 * smooth_noise(x / 2.6, y / 2.6, seed=seed + 8) + 0.014 * fbm(
        x / 60, y / 60, seed=seed + 9, octaves=3
    )
    return np.asarray(np.clip(colour(tone) * (1 + relief[..., None]), 0, 1), np.float32)


def _vignette(height: int, width: int, seed: int) -> Floats:
    """1 inside, fading to bare paper along an uneven border."""
    x, y = places(height, width)
    aspect = width / height
    edge = np.minimum(np.minimum(x, aspect - x), np.minimum(y, 1 - y))
    ragged = edge + 0.016 * fbm(x * 9, y * 9, seed=seed + 10, octaves=4)
    return np.asarray(np.clip((ragged - 0.012) / 0.022, 0, 1), np.float32)

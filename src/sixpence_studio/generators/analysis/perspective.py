"""A guess at a room's perspective: the vanishing point of its lines, and the rectangle of the wall at its end.

The guess uses straight lines alone; without clear ones, it assumes a usual room seen from its middle.
Coordinates are shares of the picture's width and height.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from sixpence_studio.generators.painting.tones import luminance, small_size
from sixpence_studio.scene.noise import Floats
from sixpence_studio.scene.resizing import resized

SMALL_SIDE = 640
EYE_TO_FLOOR = 1.06  # the eye's height above the floor, divided by the height from the eye to the ceiling
FOCAL = 0.78  # picture widths: a wide-angle lens, as rooms are photographed with


@dataclass(frozen=True)
class RoomGuess:
    """The vanishing point (x, y), and the end wall's left, top, right and bottom; `sure` from 0 to 1."""

    x: float
    y: float
    left: float
    top: float
    right: float
    bottom: float
    sure: float


def guess_room(values: Floats) -> RoomGuess:
    """The room a picture (H, W, 3) seems to show."""
    small = resized(values, small_size(values.shape, SMALL_SIDE), how=cv2.INTER_AREA)
    height, width = small.shape[:2]
    segments = _segments(luminance(small))
    x, y, sure = _vanishing_point(segments, height, width)
    top = _level_line(
        segments, y - 0.42, y - 0.12, height, width, default=_strongest_step(small, x, y - 0.42, y - 0.12)
    )
    usual = EYE_TO_FLOOR * (y - top)
    bottom = _level_line(segments, y + 0.82 * usual, y + 1.2 * usual, height, width, default=y + usual)
    upper = [_corner(segments, x, y, height, width, side=side, up=True, level=top) for side in (-1, 1)]
    lower = [_corner(segments, x, y, height, width, side=side, up=False, level=bottom) for side in (-1, 1)]
    left = next((c for c in (upper[0], lower[0]) if c is not None), x - 0.3)
    right = next((c for c in (upper[1], lower[1]) if c is not None), x + 0.3)
    return RoomGuess(x, y, float(np.clip(left, 0.02, x - 0.12)), float(np.clip(top, 0.0, y - 0.1)),
                     float(np.clip(right, x + 0.12, 0.98)), float(np.clip(bottom, y + 0.1, 0.93)), sure)  # fmt: skip


def _segments(grey: Floats) -> NDArray[np.float32]:
    """Straight lines as rows (x1, y1, x2, y2) in pixels of the small picture, the longest 220."""
    even = cv2.createCLAHE(3.0, (6, 6)).apply(np.round(np.clip(grey, 0, 1) * 255).astype(np.uint8))
    detector = cv2.createLineSegmentDetector(cv2.LSD_REFINE_STD)
    lines: object = detector.detect(cv2.GaussianBlur(even, (0, 0), 0.8))[0]
    if lines is None:
        return np.zeros((0, 4), np.float32)
    rows = np.asarray(lines, np.float32).reshape(-1, 4)
    length = np.hypot(rows[:, 2] - rows[:, 0], rows[:, 3] - rows[:, 1])
    order = np.argsort(-length, kind="stable")[:220]
    return np.asarray(rows[order][length[order] > 14], np.float32)


def _vanishing_point(segments: NDArray[np.float32], height: int, width: int) -> tuple[float, float, float]:
    x1, y1, x2, y2 = segments.T if segments.size else np.zeros((4, 0), np.float32)
    dx, dy = x2 - x1, y2 - y1
    oblique = (np.abs(dx) > 0.12 * np.hypot(dx, dy)) & (np.abs(dy) > 0.09 * np.hypot(dx, dy))
    rows = np.stack([x1, y1, x2, y2], axis=1)[oblique][:70]
    if len(rows) < 3:
        return 0.5, 0.46, 0.0
    x1, y1, x2, y2 = rows.T
    length = np.hypot(x2 - x1, y2 - y1)
    a, b = (y2 - y1) / length, (x1 - x2) / length
    c = -(a * x1 + b * y1)
    i, j = np.triu_indices(len(rows), 1)
    det = a[i] * b[j] - a[j] * b[i]
    good = np.abs(det) > 0.15
    i, j, det = i[good], j[good], det[good]
    px, py = (b[i] * c[j] - b[j] * c[i]) / det, (a[j] * c[i] - a[i] * c[j]) / det
    inside = (px > 0.12 * width) & (px < 0.88 * width) & (py > 0.22 * height) & (py < 0.72 * height)
    px, py = px[inside], py[inside]
    if not px.size:
        return 0.5, 0.46, 0.0
    distance = np.abs(a[None] * px[:, None] + b[None] * py[:, None] + c[None])
    middle = np.hypot(px[:, None] - (x1 + x2)[None] / 2, py[:, None] - (y1 + y2)[None] / 2)
    agrees = np.exp(-((distance / np.maximum(middle, 20) / 0.03) ** 2)) * (middle > 0.55 * length[None])
    usual = np.exp(-(((px / width - 0.5) / 0.3) ** 2) - (((py / height - 0.46) / 0.16) ** 2))
    score = (agrees * np.minimum(length, 160)[None]).sum(axis=1) * (0.25 + 0.75 * usual)
    best = int(np.argmax(score))
    close = np.hypot(px - px[best], py - py[best]) < 12
    weight = score[close] ** 2
    sure = float(np.clip(score[best] / (2.2 * width), 0, 1))
    return (float((px[close] * weight).sum() / weight.sum()) / width,
            float((py[close] * weight).sum() / weight.sum()) / height, sure)  # fmt: skip


def _level_line(segments: NDArray[np.float32], low: float, high: float, height: int, width: int, *,
                default: float) -> float:  # fmt: skip
    """The strongest level line between two heights."""
    x1, y1, x2, y2 = segments.T if segments.size else np.zeros((4, 0), np.float32)
    length = np.abs(x2 - x1)
    middle = (y1 + y2) / 2 / height
    level = (np.abs(y2 - y1) < 0.035 * length + 1) & (middle > max(0.01, low)) & (middle < min(0.97, high))
    if not level.any():
        return default
    rows = np.linspace(low, high, 90)
    strength = np.exp(-(((rows[:, None] - middle[level][None]) / 0.006) ** 2)) @ length[level] ** 1.6
    best = int(np.argmax(strength))
    return float(rows[best]) if strength[best] > (0.14 * width) ** 1.6 else default


def _strongest_step(small: Floats, x: float, low: float, high: float) -> float:
    """The height between two at which brightness changes most from row to row, over a band about x."""
    height, width = small.shape[:2]
    band = luminance(small)[:, max(0, int((x - 0.25) * width)) : int((x + 0.25) * width)]
    rows = slice(max(4, int(low * height)), max(8, int(high * height)))
    steps = np.abs(cv2.GaussianBlur(band, (0, 0), 1.5)[4:] - cv2.GaussianBlur(band, (0, 0), 1.5)[:-4])
    clear = np.median(steps, axis=1)[rows.start - 2 : rows.stop - 2]
    return float((rows.start + int(np.argmax(clear))) / height)


def _corner(segments: NDArray[np.float32], x: float, y: float, height: int, width: int, *, side: int, up: bool,
            level: float) -> float | None:  # fmt: skip
    """Where the strongest line from a side of the picture to the vanishing point crosses a level line."""
    if not segments.size:
        return None
    vx, vy = x * width, y * height
    x1, y1, x2, y2 = segments.T
    mx, my = (x1 + x2) / 2 - vx, (y1 + y2) / 2 - vy
    length = np.hypot(x2 - x1, y2 - y1)
    towards = np.abs((x2 - x1) * my - (y2 - y1) * mx) / np.maximum(length * np.hypot(mx, my), 1e-3) < 0.045
    here = towards & (mx * side > 20) & ((my < -8) if up else (my > 8)) & (np.abs(my) > 0.12 * np.abs(mx))
    slope = np.abs(my / np.where(mx == 0, 1, mx))
    here &= slope < 1.6
    if not here.any():
        return None
    slopes = np.linspace(0.12, 1.6, 120)
    strength = np.exp(-(((slopes[:, None] - slope[here][None]) / 0.03) ** 2)) @ length[here]
    best = int(np.argmax(strength))
    if strength[best] < 40:
        return None
    away = abs(level - y) * height / slopes[best]
    return float((vx + side * away) / width)

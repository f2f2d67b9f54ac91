"""Masks (0 to 1) for the parts of a picture taken outdoors: sky, plants, window panes, ground.

These are guesses from colour, smoothness and place; they use a small copy of the picture and are then fitted to the
edges of the large one. exterior.py uses them.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from sixpence_studio.generators.analysis.segmentation import cut_out
from sixpence_studio.generators.painting.tones import enlarged_mask, luminance, small_size, to_lab
from sixpence_studio.scene.noise import Floats
from sixpence_studio.scene.resizing import resized

SMALL_SIDE = 480


@dataclass(frozen=True)
class Pane:
    """A window: its upper left and lower right corner, in pixels."""

    left: int
    top: int
    right: int
    bottom: int


def find_sky(values: Floats) -> Floats:
    """How much of each point is sky: smooth, bluish or bright, and joined to the upper edge."""
    small = _small(values)
    lab = to_lab(small)
    lightness, blue = lab[..., 0], -lab[..., 2]
    chroma = np.hypot(lab[..., 1], lab[..., 2])
    rough = cv2.blur(np.abs(cv2.Laplacian(luminance(small), cv2.CV_32F)), (5, 5))
    likely = (
        ((blue > 3) & (lightness > 32))
        | ((lightness > 70) & (chroma < 12))
        | ((blue > -4) & (lightness > 62) & (chroma < 16))
    )
    likely &= (rough < 0.06) & (lab[..., 1] < 14)
    opened = np.asarray(cv2.morphologyEx(likely.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)), np.uint8)
    joined = _joined_to_top(opened)
    if joined.mean() < 0.01:
        return np.zeros(values.shape[:2], np.float32)
    return enlarged_mask(_refined(small, joined).astype(np.float32), values, radius=6)


def find_plants(values: Floats, sky: Floats) -> Floats:
    """How green and growing each point is."""
    lab = to_lab(np.asarray(cv2.bilateralFilter(_small(values), 5, 0.1, 3), np.float32))
    hue = np.arctan2(lab[..., 2], lab[..., 1])
    chroma = np.hypot(lab[..., 1], lab[..., 2])
    green = np.exp(-(((hue - 2.05) / 0.42) ** 2)) * np.clip((chroma - 11) / 10, 0, 1)
    large = resized(green.astype(np.float32), (values.shape[1], values.shape[0]), how=cv2.INTER_LINEAR)
    return np.asarray(np.clip(large * 1.25, 0, 1) * (1 - sky), np.float32)


def find_panes(values: Floats, sky: Floats, plants: Floats) -> list[Pane]:
    """The windows: upright rectangles of dark or bluish glass within something brighter."""
    height, width = values.shape[:2]
    small = resized(values, small_size((height, width), SMALL_SIDE * 2), how=cv2.INTER_AREA)
    scale = small.shape[1] / width
    lab = to_lab(small)
    around = cv2.blur(lab[..., 0], (81, 81))
    blocked = resized(np.maximum(sky, (plants > 0.97).astype(np.float32)), (small.shape[1], small.shape[0]))
    bluish = np.hypot(lab[..., 1] + 1, lab[..., 2] + 8) < 19
    glass = (lab[..., 0] < around - 9) & (np.hypot(lab[..., 1], lab[..., 2]) < 28) & (bluish | (lab[..., 0] < 26))
    glass &= blocked < 0.5
    count, _, boxes, _ = cv2.connectedComponentsWithStats(glass.astype(np.uint8), connectivity=4)
    found = np.zeros(glass.shape, np.uint8)
    growing = resized(plants, (small.shape[1], small.shape[0]))
    for left, top, wide, high, area in boxes[1:count]:
        if growing[top : top + high, left : left + wide].mean() > 0.4:
            continue
        sized = 90 < area < 0.03 * glass.size and wide > 7 and high > 9 and 0.28 < wide / high < 3.2
        if sized and area / max(1, wide * high) > 0.72 and top > 4:
            found[top : top + high, left : left + wide] = 1
    return _windows_of_panes(found, scale)


def _small(values: Floats) -> Floats:
    return resized(values, small_size(values.shape, SMALL_SIDE), how=cv2.INTER_AREA)


def _windows_of_panes(found: NDArray[np.uint8], scale: float) -> list[Pane]:
    """Panes separated only by a bar are one window; windows above each other stay separate."""
    bars = cv2.morphologyEx(found, cv2.MORPH_CLOSE, np.ones((13, 13), np.uint8))
    count, _, boxes, _ = cv2.connectedComponentsWithStats(bars, connectivity=4)
    return [Pane(int(left / scale), int(top / scale), int((left + wide) / scale) + 1, int((top + high) / scale) + 1)
            for left, top, wide, high, area in boxes[1:count] if area / (wide * high) > 0.55]  # fmt: skip


def _joined_to_top(likely: NDArray[np.uint8]) -> NDArray[np.bool_]:
    count, labels, boxes, _ = cv2.connectedComponentsWithStats(likely, connectivity=4)
    keep = np.zeros(count, np.bool_)
    for label in range(1, count):
        keep[label] = boxes[label, cv2.CC_STAT_TOP] <= 2 and boxes[label, cv2.CC_STAT_AREA] > 0.002 * likely.size
    return np.asarray(keep[labels], np.bool_)


def _refined(small: Floats, joined: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The mask grown or shrunk to where the sky's own colours end."""
    sure = cv2.erode(joined.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    near = cv2.dilate(joined.astype(np.uint8), np.ones((15, 15), np.uint8)) > 0
    marks = np.full(joined.shape, cv2.GC_BGD, np.uint8)
    marks[near] = cv2.GC_PR_BGD
    marks[joined] = cv2.GC_PR_FGD
    marks[sure] = cv2.GC_FGD
    if not sure.any() or near.all():
        return joined
    return cut_out(small, marks, rounds=2)

"""Floor, wall and ceiling in a picture of a room, as masks from 0 to 1, and the places of their points in metres.

They are guesses from colour, evenness and place. Everything else is the rest: furniture, windows, plants.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from sixpence_studio.generators.analysis.perspective import FOCAL, RoomGuess, guess_room
from sixpence_studio.generators.analysis.segmentation import colour_groups, cut_out
from sixpence_studio.generators.painting.tones import enlarged_mask, small_size, to_lab
from sixpence_studio.scene.noise import Floats
from sixpence_studio.scene.resizing import resized

SMALL_SIDE = 360
EYE_HEIGHT = 1.45


@dataclass(frozen=True)
class Surfaces:
    """The room guessed, and how much of each point is floor, wall and ceiling."""

    room: RoomGuess
    floor: Floats
    wall: Floats
    ceiling: Floats


def find_surfaces(values: Floats) -> Surfaces:
    """The surfaces of a room in a picture (H, W, 3)."""
    room = guess_room(values)
    small = resized(values, small_size(values.shape, SMALL_SIDE), how=cv2.INTER_AREA)
    height, width = small.shape[:2]
    even = np.asarray(cv2.bilateralFilter(small, 7, 0.08, 4), np.float32)
    lab = to_lab(even)
    floor = _floor(even, lab, room)
    flat = _flat_parts(lab, floor, room)
    above = _above_the_end_wall(height, width, room)
    closed = cv2.morphologyEx((flat & above).astype(np.uint8), cv2.MORPH_CLOSE, np.ones((15, 15), np.uint8)) > 0
    masks = (floor, flat & ~above, closed & above)
    large = [enlarged_mask(mask.astype(np.float32), values, radius=7) for mask in masks]
    return Surfaces(room, large[0], np.asarray(large[1] * (1 - large[0]), np.float32), large[2])


def floor_places(height: int, width: int, room: RoomGuess) -> tuple[Floats, Floats]:
    """Where on the floor each point of the picture lies: metres to the right of the eye and ahead of it."""
    x, y = _shares(height, width)
    below = np.maximum((y - room.y) * height / width, 1e-3)
    ahead = EYE_HEIGHT * FOCAL / below
    return ((x - room.x) / FOCAL * ahead).astype(np.float32), ahead.astype(np.float32)


def wall_places(height: int, width: int, room: RoomGuess) -> tuple[Floats, Floats]:
    """Where on its wall each point lies: metres along it and above the eye; the end wall and the two beside it."""
    x, y = _shares(height, width)
    depth = wall_depth(room, height / width)
    aspect = height / width
    left, right = max(0.02, room.x - room.left), max(0.02, room.right - room.x)
    offset = x - room.x
    side_depth = np.where(offset < 0, left, right) * depth / np.maximum(np.abs(offset), 1e-3)
    ahead = np.minimum(depth, np.maximum(side_depth, 0.4))
    half = np.where(offset < 0, left, right) * depth / FOCAL
    beside = np.sign(offset) * (depth - ahead + half)
    along = np.where(side_depth >= depth, offset / FOCAL * depth, beside)
    return along.astype(np.float32), ((room.y - y) * aspect / FOCAL * ahead).astype(np.float32)


def wall_depth(room: RoomGuess, aspect: float) -> float:
    """How far ahead the end wall is, in metres; `aspect` is the picture's height over its width."""
    return float(EYE_HEIGHT * FOCAL / max(0.05, (room.bottom - room.y) * aspect))


def _shares(height: int, width: int) -> tuple[Floats, Floats]:
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    return (x + np.float32(0.5)) / width, (y + np.float32(0.5)) / height


def _floor(even: Floats, lab: Floats, room: RoomGuess) -> NDArray[np.bool_]:
    height, width = even.shape[:2]
    start = int(height * min(0.94, max(room.bottom + 0.03, room.y + 0.3 * (1 - room.y))))
    possible = _before_the_end_wall(height, width, room)
    band = lab[start:].reshape(-1, 3) * np.array([0.5, 1, 1], np.float32)
    groups, centres = colour_groups(band, 5)
    labels = groups.reshape(height - start, width)
    low = np.linspace(0.4, 1.0, height - start)[:, None] * possible[start:]
    weights = np.array([(low * (labels == k)).sum() for k in range(5)])
    main = int(np.argmax(weights * np.where(centres[:, 0] > 44, 0.35, 1.0)))  # sunlight bleaches: count less
    away = centres - centres[main]
    near = [k for k in range(5) if np.hypot(away[k, 1], away[k, 2]) < 10 and -11 < away[k, 0] < 24]
    likely = np.isin(labels, near)
    marks = np.full((height, width), cv2.GC_BGD, np.uint8)
    marks[possible] = cv2.GC_PR_BGD
    likely &= possible[start:]
    marks[start:][likely] = cv2.GC_PR_FGD
    sure = cv2.erode(likely.astype(np.uint8), np.ones((7, 7), np.uint8)) > 0
    marks[start:][sure & (np.arange(height - start)[:, None] > 0.35 * (height - start))] = cv2.GC_FGD
    if not (marks == cv2.GC_FGD).any():
        return np.asarray((marks == cv2.GC_PR_FGD), np.bool_)
    mask = cut_out(even, marks, rounds=2)
    mask = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)) > 0
    return _with_sunny_spots(mask, lab, possible)


def _with_sunny_spots(mask: NDArray[np.bool_], lab: Floats, possible: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The floor with the bright spots that lie in it or at the picture's lower edge: sun on it."""
    bright = ((lab[..., 0] > 80) & ~mask & possible).astype(np.uint8)
    closed = cv2.morphologyEx(bright, cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
    bright = np.asarray(closed, np.uint8) * possible.astype(np.uint8)
    count, labels, boxes, _ = cv2.connectedComponentsWithStats(bright, connectivity=4)
    grown = cv2.dilate(mask.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    result = mask.copy()
    for label in range(1, count):
        here = labels == label
        rim = (cv2.dilate(here.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0) & ~here & possible
        if boxes[label, cv2.CC_STAT_AREA] > 12 and (rim & grown).sum() > 0.4 * max(1, rim.sum()):
            result |= here
    whole = cv2.morphologyEx(result.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8)) > 0
    return np.asarray(whole & possible, np.bool_)


def _flat_parts(lab: Floats, floor: NDArray[np.bool_], room: RoomGuess) -> NDArray[np.bool_]:
    """Large even parts that reach above the eye's height: walls and ceiling, not what hangs on them."""
    steep = np.zeros(floor.shape, np.float32)
    for channel, weight in ((0, 1.0), (1, 1.6), (2, 1.6)):
        plane = np.ascontiguousarray(lab[..., channel])
        steep += weight * np.hypot(cv2.Sobel(plane, cv2.CV_32F, 1, 0), cv2.Sobel(plane, cv2.CV_32F, 0, 1)) / 4
    flat = ((steep < 4.2) & ~floor).astype(np.uint8)
    count, labels, boxes, centres = cv2.connectedComponentsWithStats(flat, connectivity=4)
    result = np.zeros(floor.shape, np.bool_)
    height = floor.shape[0]
    largest = 1 + int(np.argmax(boxes[1:, cv2.CC_STAT_AREA])) if count > 1 else 0
    main = lab[labels == largest].mean(axis=0)
    for label in range(1, count):
        here = labels == label
        area = boxes[label, cv2.CC_STAT_AREA] / floor.size
        mean = lab[here].mean(axis=0)
        glaring = mean[0] > 95.5 or (mean[0] > 80 and (mean[2] < -4 or mean[1] < -7))
        glaring |= bool(mean[1] < -5 and main[1] > -3)
        glaring |= bool(area < 0.05 and mean[0] > main[0] - 4 and mean[2] < main[2] - 3)
        high = boxes[label, cv2.CC_STAT_TOP] < height * room.y and centres[label][1] < height * (room.bottom + 0.02)
        if area > 0.004 and high and not glaring and mean[0] > 38:
            result |= here
    return np.asarray(cv2.dilate(result.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0) & ~floor


def _before_the_end_wall(height: int, width: int, room: RoomGuess) -> NDArray[np.bool_]:
    """Where the floor can be: below the end wall and between the walls beside it."""
    x, y = _shares(height, width)
    fall = room.bottom - room.y
    slope_left, slope_right = fall / max(0.02, room.x - room.left), fall / max(0.02, room.right - room.x)
    edge = np.where(x < room.x, (room.x - x) * slope_left, (x - room.x) * slope_right)
    return np.asarray(y - room.y > np.maximum(fall, edge) - 0.012)


def _above_the_end_wall(height: int, width: int, room: RoomGuess) -> NDArray[np.bool_]:
    x, y = _shares(height, width)
    rise = room.y - room.top
    slope_left, slope_right = rise / max(0.02, room.x - room.left), rise / max(0.02, room.right - room.x)
    edge = np.where(x < room.x, (room.x - x) * slope_left, (x - room.x) * slope_right)
    return np.asarray(room.y - y > np.maximum(rise, edge) - 0.004)

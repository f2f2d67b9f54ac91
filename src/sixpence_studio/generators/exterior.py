"""`exterior`: the same house at another hour or in another season, with a new sky and new light.

The sky is replaced, the rest relit to suit it, windows lit, snow laid, trees brought into blossom. outdoors.py finds
sky, plants and windows; painted_skies.py paints the skies.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np

from sixpence_studio.generators.analysis.outdoors import Pane, find_panes, find_plants, find_sky
from sixpence_studio.generators.painting.skies import paint_sky
from sixpence_studio.generators.painting.tones import (
    as_floats,
    as_pixels,
    blurred,
    colour,
    graded,
    luminance,
    mixed,
    places,
    screened,
    small_size,
)
from sixpence_studio.generators.picture import Picture, jpeg_bytes
from sixpence_studio.generators.protocol import Choice, Option, Result, chosen
from sixpence_studio.scene.noise import Floats, cell_value, fbm, smooth_noise
from sixpence_studio.scene.resizing import resized


@dataclass(frozen=True)
class _Place:
    """A picture and what was found in it."""

    values: Floats
    sky: Floats
    plants: Floats
    panes: list[Pane]
    seed: int


@dataclass(frozen=True)
class Exterior:
    """Shows the outside at another hour or in another season."""

    name: str = "exterior"
    title: str = "Exterior"
    description: str = "Shows the house at another hour or in another season: a new sky, new light, lit windows."
    options: tuple[Option, ...] = (
        Choice(
            "scene",
            "Hour or season",
            (
                ("golden", "Golden hour"),
                ("dusk", "Dusk"),
                ("night", "Starry night"),
                ("snow", "Fresh snow"),
                ("spring", "Spring blossom"),
            ),
            "dusk",
        ),
    )

    def generate(self, picture: Picture, options: Mapping[str, str], seed: int) -> Result:
        """The house at that hour, as a JPEG of the same size."""
        scene = chosen(self.options, options)["scene"]
        values = as_floats(picture)
        sky = find_sky(values)
        plants = find_plants(values, sky)
        place = _Place(values, sky, plants, find_panes(values, sky, plants), seed % 8)
        relight = {"golden": _golden, "dusk": _dusk, "night": _night, "snow": _snow, "spring": _spring}[scene]
        return Result("image/jpeg", jpeg_bytes(as_pixels(relight(place))), ".jpg")


def _golden(place: _Place) -> Floats:
    height, width = place.values.shape[:2]
    x, y = places(height, width)
    low_sun = np.clip(1.15 - 0.5 * x, 0.6, 1.15)[..., None]
    land = graded(place.values, contrast=1.1, saturation=1.12, gamma=1.08)
    land = land * np.array([1.16, 0.93, 0.66], np.float32) * low_sun
    shade = np.clip(0.55 - luminance(place.values), 0, 0.55)[..., None]
    land = land + shade * np.array([0.02, 0.03, 0.13], np.float32)
    lit = _with_panes(land, place, glow="#ffc46b", strength=0.35)
    whole = mixed(lit, paint_sky("golden", height, width, place.seed), place.sky)
    rays = np.exp(-(((x + 0.05) / 0.75) ** 2) - (((y - 0.42) / 0.5) ** 2))[..., None]
    return graded(screened(whole, rays * colour("#ff9d4a") * np.float32(0.36)), contrast=1.04)


def _dusk(place: _Place) -> Floats:
    height, width = place.values.shape[:2]
    land = graded(place.values, contrast=0.92, saturation=0.7, gamma=1.4)
    land = land * np.array([0.46, 0.47, 0.72], np.float32)
    _, y = places(height, width)
    land = land * (0.82 + 0.3 * np.clip(1 - y, 0, 1))[..., None] + np.array([0.03, 0.015, 0.035], np.float32)
    whole = mixed(land, paint_sky("dusk", height, width, place.seed), place.sky)
    return _with_panes(whole, place, glow="#ffb75e", strength=1.0)


def _night(place: _Place) -> Floats:
    height, width = place.values.shape[:2]
    land = graded(place.values, contrast=0.9, saturation=0.42, gamma=1.55)
    land = land * np.array([0.2, 0.27, 0.45], np.float32) + np.array([0.006, 0.01, 0.024], np.float32)
    whole = mixed(land, paint_sky("night", height, width, place.seed), place.sky)
    return _with_panes(whole, place, glow="#ffb457", strength=1.0)


def _snow(place: _Place) -> Floats:
    height, width = place.values.shape[:2]
    x, y = places(height, width)
    grey = luminance(place.values)
    land = graded(place.values, contrast=0.92, saturation=0.55, warmth=-0.045, lift=0.06)
    lying = _lying_snow(place)
    relief = np.clip(0.5 + 1.15 * (grey - blurred(grey, height / 28)) + 0.55 * (blurred(grey, height / 28) - 0.4), 0, 1)
    drift = 0.03 * fbm(x * 16, y * 40, seed=place.seed, octaves=4)
    white = (
        colour("#a9bbd2")
        + (colour("#fdfeff") - colour("#a9bbd2")) * np.clip(0.36 + 0.86 * relief + drift, 0, 1)[..., None]
    )
    whole = mixed(land, white.astype(np.float32), lying)
    whole = mixed(whole, paint_sky("snow", height, width, place.seed), place.sky)
    whole = _with_panes(whole, place, glow="#ffc67c", strength=0.6)
    whole = mixed(whole, np.broadcast_to(colour("#e3e9f1"), whole.shape).astype(np.float32), 0.05)
    return screened(whole, _flakes(height, width, place.seed)[..., None] * np.float32(0.92))


def _spring(place: _Place) -> Floats:
    height, width = place.values.shape[:2]
    x, y = places(height, width)
    fresh = graded(place.values, gamma=0.92, saturation=1.12, contrast=1.04)
    juicy = fresh * np.array([1.02, 1.14, 0.72], np.float32) + np.array([0.02, 0.035, 0.0], np.float32)
    land = mixed(fresh, np.clip(juicy, 0, 1).astype(np.float32), place.plants * np.float32(0.75))
    crown, lawn = _crowns_and_lawn(place)
    grey = luminance(place.values)
    clumps = np.clip(0.55 + fbm(x * 26, y * 26, seed=place.seed, octaves=4) * 0.9 + (grey - 0.36) * 1.7, 0, 1)
    petals = 0.5 + 0.5 * smooth_noise(x * 190, y * 190, seed=place.seed + 1)
    blossom = np.clip((clumps * (0.45 + 0.75 * petals) - 0.36) * 3.2, 0, 1) * crown
    shade = np.clip(0.5 + 1.25 * grey + 0.24 * (petals - 0.5), 0, 1.12)[..., None]
    pink = (colour("#f39ab8") * (1 - petals[..., None]) + colour("#fff0f4") * petals[..., None]) * shade
    land = mixed(land, np.clip(pink, 0, 1).astype(np.float32), blossom * np.float32(0.94))
    land = _with_flowers(land, lawn, place.seed)
    return graded(mixed(land, paint_sky("spring", height, width, place.seed), place.sky), warmth=0.012)


def _with_panes(values: Floats, place: _Place, *, glow: str, strength: float) -> Floats:
    """Lamps lit behind the windows, and their light falling out of them."""
    height, width = values.shape[:2]
    inside, share = values.copy(), np.zeros((height, width), np.float32)
    warm = colour(glow)
    for number, pane in enumerate(place.panes):
        rows, columns = slice(pane.top, pane.bottom), slice(pane.left, pane.right)
        y, x = np.mgrid[0 : 1 : (pane.bottom - pane.top) * 1j, 0 : 1 : (pane.right - pane.left) * 1j].astype(np.float32)
        y, x = y[: values[rows, columns].shape[0]], x[: values[rows, columns].shape[0]]
        chance = float(cell_value(np.array([pane.left // 60]), np.array([pane.top // 60]), seed=place.seed)[0])
        bright = 1.08 - 0.5 * ((x - 0.5) ** 2 + (y - 0.35) ** 2) - 0.12 * y
        curtain = 1 - 0.16 * (0.5 + 0.5 * np.sin(x * 19 + number)) * (x < 0.4)
        room = warm * ((0.72 + 0.3 * chance) * bright * curtain)[..., None]
        inside[rows, columns] = np.clip(room[:, : inside[rows, columns].shape[1]], 0, 1)
        share[rows, columns] = 1
    original = luminance(place.values)
    glass = np.clip(1 - np.clip(original - blurred(original, height / 40) + 0.04, 0, 1) * 7, 0, 1)
    share = blurred(share * np.clip(glass, 0.0, 1), max(0.8, height / 1100))
    lit = mixed(values, inside, share * np.float32(strength))
    halo = blurred(share, height / 55) * np.float32(0.55) + blurred(share, height / 14) * np.float32(0.6)
    spill = _shifted_down(blurred(share, height / 10), height // 7) * np.float32(0.75)
    reach = (halo + spill * (1 - place.sky))[..., None] * np.float32(strength)
    surfaces = place.values * reach * warm * np.float32(0.9)
    return screened(np.clip(lit + surfaces, 0, 1), reach * warm * np.float32(0.22) * (1 - 0.55 * place.sky)[..., None])


def _lying_snow(place: _Place) -> Floats:
    """Where snow stays: on the ground, on plants' upper sides, on roofs and ledges that face the sky."""
    height, width = place.values.shape[:2]
    x, y = places(height, width)
    grey = luminance(place.values)
    crown, lawn = _crowns_and_lawn(place)
    fine = grey - blurred(grey, height / 90)
    tops = np.clip(0.45 + fine * 9 + 0.35 * fbm(x * 30, y * 30, seed=place.seed + 2, octaves=3), 0, 1)
    sky_above = np.zeros_like(grey)
    for step in (2, 5, 9, 14):
        sky_above = np.maximum(sky_above, _shifted_down(place.sky, max(1, step * height // 800)) * (1 - 0.045 * step))
    edge = np.clip(sky_above * (1 - place.sky) * 1.25, 0, 1)
    ledges = np.clip((_shifted_down(grey, -max(1, height // 260)) - grey) * -5, 0, 1) * (1 - place.sky) * 0.45
    roofs = _roofs(place)
    lying = np.maximum(np.maximum(lawn * 0.97, crown * tops * 0.9), np.maximum(edge, np.maximum(ledges, roofs * 0.92)))
    return np.asarray(np.clip(blurred(lying.astype(np.float32), 0.8), 0, 1) * (1 - place.sky), np.float32)


def _roofs(place: _Place) -> Floats:
    """Dark grey or reddish sloping areas right under the sky."""
    height, width = place.values.shape[:2]
    small = resized(place.values, small_size((height, width), 320), how=cv2.INTER_AREA)
    sky = resized(place.sky, (small.shape[1], small.shape[0]))
    hsv = cv2.cvtColor(np.ascontiguousarray(small), cv2.COLOR_RGB2HSV)
    dark = (hsv[..., 2] < 0.5) & ((hsv[..., 1] < 0.3) | (hsv[..., 0] < 25)) & (sky < 0.3)
    dark &= resized(place.plants, (small.shape[1], small.shape[0])) < 0.3
    count, labels, boxes, _ = cv2.connectedComponentsWithStats(dark.astype(np.uint8), connectivity=4)
    under = cv2.dilate((sky > 0.5).astype(np.uint8), np.ones((9, 5), np.uint8)) > 0
    mask = np.zeros(dark.shape, np.float32)
    for label in range(1, count):
        area = int(boxes[label, cv2.CC_STAT_AREA])
        if area > 60 and (under & (labels == label)).sum() > 0.04 * area:
            mask[labels == label] = 1
    return np.asarray(resized(mask, (width, height), how=cv2.INTER_LINEAR), np.float32)


def _crowns_and_lawn(place: _Place) -> tuple[Floats, Floats]:
    """The plants divided into upright ones and lawn: a lawn is even and reaches the lower edge."""
    height, width = place.plants.shape
    size = small_size((height, width), 320)
    small = resized(place.plants, size, how=cv2.INTER_AREA)
    grey = resized(luminance(place.values), size, how=cv2.INTER_AREA)
    rough = cv2.blur(np.abs(grey - cv2.GaussianBlur(grey, (0, 0), 4)), (11, 11))
    flat = ((small > 0.35) & (rough < 0.045)).astype(np.uint8)
    flat = cv2.morphologyEx(flat, cv2.MORPH_OPEN, np.ones((5, 5), np.uint8))
    count, labels, boxes, _ = cv2.connectedComponentsWithStats(flat, connectivity=4)
    lawn = np.zeros(flat.shape, np.float32)
    for label in range(1, count):
        bottom = boxes[label, cv2.CC_STAT_TOP] + boxes[label, cv2.CC_STAT_HEIGHT]
        if boxes[label, cv2.CC_STAT_AREA] > 120 and bottom > 0.8 * flat.shape[0]:
            lawn[labels == label] = 1
    lawn[: int(flat.shape[0] * 0.45)] = 0
    soft = cv2.GaussianBlur(cv2.dilate(lawn, np.ones((5, 5), np.uint8)), (0, 0), 1.5)
    large = np.asarray(resized(np.asarray(soft, np.float32), (width, height), how=cv2.INTER_LINEAR), np.float32)
    return place.plants * (1 - large), np.clip(place.plants * 1.6, 0, 1) * large


def _with_flowers(values: Floats, lawn: Floats, seed: int) -> Floats:
    """Daisies and crocuses on the lawn, smaller further away."""
    height, width = lawn.shape
    generator = np.random.default_rng(seed)
    result = values.copy()
    for _ in range(1400):
        x, depth = generator.random() * width, generator.random() ** 0.6
        y = height * (0.55 + 0.45 * depth)
        tint = (("#ffffff", "#f4d64e", "#c79be0", "#ffffff"))[int(generator.integers(4))]
        if lawn[min(height - 1, int(y)), min(width - 1, int(x))] < 0.5:
            continue
        radius = height / 800 * (0.7 + 3.0 * depth**2) * (0.7 + 0.5 * generator.random())
        cv2.ellipse(
            result, ((x, y), (radius * 2.2, radius * 1.5), 0), [float(c) for c in colour(tint)], -1, cv2.LINE_AA
        )
    return np.asarray(result, np.float32)


def _flakes(height: int, width: int, seed: int) -> Floats:
    generator = np.random.default_rng(seed + 77)
    layer = np.zeros((height, width), np.float32)
    unit = height / 800
    for count, size, strength in ((500, 0.9, 0.6), (170, 1.7, 0.72), (40, 3.4, 0.5)):
        flakes = np.zeros((height, width), np.float32)
        for x, y in generator.random((count, 2)):
            cv2.circle(flakes, (int(x * width), int(y * height)), max(1, round(size * unit)), strength, -1, cv2.LINE_AA)
        layer = np.maximum(layer, blurred(flakes, max(0.5, size * unit * 0.5)))
    return layer


def _shifted_down(mask: Floats, rows: int) -> Floats:
    result = np.zeros_like(mask)
    if rows >= 0:
        result[rows:] = mask[: mask.shape[0] - rows]
    else:
        result[:rows] = mask[-rows:]
    return result

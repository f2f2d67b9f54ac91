"""Painted skies for pictures taken outdoors: colours down to the horizon, clouds lit from their side, stars."""

from dataclasses import dataclass

import cv2
import numpy as np

from sixpence_studio.generators.painting.tones import blurred, colour, mixed, places, screened
from sixpence_studio.scene.noise import Floats, fbm


@dataclass(frozen=True)
class _Sky:
    """Colours from above to the horizon, the clouds' lit and shaded sides, and how much they cover (0..1)."""

    stops: tuple[str, ...]
    lit: str
    shaded: str
    cover: float
    stretch: float
    stars: bool = False
    sun: str = ""


_SKIES = {
    "golden": _Sky(
        ("#5f8fc0", "#9fb6c4", "#f1cf98", "#ffb765", "#ff9a4d"), "#fff0cf", "#c98a72", 0.5, 2.6, sun="#ffd78a"
    ),
    "dusk": _Sky(("#141b45", "#2f356f", "#7a4f8c", "#d9727c", "#ffab6e"), "#ff9a86", "#3d3463", 0.52, 3.2),
    "night": _Sky(("#050a1c", "#0a1430", "#122047", "#1d3059", "#2b4168"), "#33456b", "#0c1630", 0.36, 2.4, stars=True),
    "snow": _Sky(("#aebccb", "#bec9d5", "#ccd5de", "#dae0e6", "#e6eaee"), "#eef2f5", "#9fadbd", 0.72, 2.2),
    "spring": _Sky(("#3f86d2", "#62a2e2", "#8fc1ee", "#bcdcf5", "#e2f0fa"), "#ffffff", "#b4c6dc", 0.5, 1.7),
}


def paint_sky(name: str, height: int, width: int, seed: int) -> Floats:
    """The sky of that name (golden, dusk, night, snow, spring) over a whole picture, its horizon low in it."""
    sky = _SKIES[name]
    x, y = places(height, width)
    fall = np.clip(y / 0.72, 0, 1)
    stops = np.stack([colour(stop) for stop in sky.stops])
    position = np.linspace(0, 1, len(stops), dtype=np.float32)
    channels = [np.interp(fall, position, stops[:, channel]) for channel in range(3)]
    air: Floats = np.stack(channels, axis=-1).astype(np.float32)
    if sky.stars:
        air = _with_stars(air, seed)
    body, light = _clouds(x, y, sky, seed)
    shaded, lit = colour(sky.shaded), colour(sky.lit)
    tint: Floats = shaded + (lit - shaded) * light[..., None]
    if name in ("golden", "dusk"):
        tint = mixed(tint.astype(np.float32), air * np.float32(1.05), np.clip(fall - 0.25, 0, 0.55))
    painted: Floats = mixed(air, np.clip(tint, 0, 1).astype(np.float32), body)
    if sky.sun:
        glow = np.exp(-(((x - 0.02) ** 2 + (y - 0.56) ** 2) / 0.1))[..., None]
        painted = screened(painted, glow * colour(sky.sun) * np.float32(0.75))
    return painted


def _clouds(x: Floats, y: Floats, sky: _Sky, seed: int) -> tuple[Floats, Floats]:
    """How much cloud there is at each point, and how brightly it is lit: the sky seen as a ceiling that runs away."""
    away = 1 / np.maximum(0.86 - y, 0.09)
    u, v = (x - 0.75) * away * 0.95, away * np.float32(sky.stretch)
    warp = fbm(u * 0.7, v * 0.7, seed=seed + 20, octaves=3)
    shape = fbm(u * 1.15 + 0.45 * warp, v * 1.15 + seed, seed=seed + 23, octaves=6)
    below = fbm(u * 1.15 + 0.45 * warp + 0.05, v * 1.15 + seed + 0.16, seed=seed + 23, octaves=5)
    body = np.clip((shape - 0.62 + sky.cover) * 1.9, 0, 1)
    body = body * body * (3 - 2 * body) * np.clip((0.8 - y) * 5, 0, 1)
    light = np.clip(0.58 + 1.5 * (shape - below) + 0.22 * (1 - body), 0, 1)
    return body.astype(np.float32), light.astype(np.float32)


def _with_stars(air: Floats, seed: int) -> Floats:
    height, width = air.shape[:2]
    generator = np.random.default_rng(seed + 5)
    stars = np.zeros((height, width), np.float32)
    for x, y, power in generator.random((900, 3)):
        column, row = int(x * width), int(y * height * 0.75)
        stars[row, column] = 0.25 + 0.75 * power**3
        if power > 0.93:
            cv2.circle(stars, (column, row), max(1, height // 700), 1.0, -1, cv2.LINE_AA)
    glow = np.maximum(stars, blurred(stars, 1.1) * 2.2)
    milky_x, milky_y = places(height, width)
    band = np.exp(-(((milky_y - 0.5 + 0.42 * (milky_x - 0.3)) / 0.17) ** 2))
    dust = band * np.clip(0.5 + fbm(milky_x * 5, milky_y * 5, seed=seed + 6, octaves=5), 0, 1)
    moon = np.zeros((height, width), np.float32)
    centre, radius = (int(width * 0.83), int(height * 0.15)), max(5, height // 32)
    cv2.circle(moon, centre, radius, 1.0, -1, cv2.LINE_AA)
    halo = blurred(moon, height / 14) * np.float32(0.9)
    result = screened(air, dust[..., None] * colour("#3c4a78") * np.float32(0.55))
    result = screened(result, glow[..., None] * colour("#eaf0ff"))
    return screened(result, np.clip(moon * 0.95 + halo, 0, 1)[..., None] * colour("#f3efdf"))

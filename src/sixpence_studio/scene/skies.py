"""Skies and the distant view below them, as functions of the viewing direction."""

import numpy as np

from sixpence_studio.scene.lighting import Sky
from sixpence_studio.scene.materials import linear
from sixpence_studio.scene.noise import Floats, fbm


def day_sky(*, brightness: float = 1.0, clouds: float = 0.5, zenith: str = "#4f86c6", horizon: str = "#cfe0ee",
            seed: int = 40) -> Sky:  # fmt: skip
    """A blue sky with fair-weather clouds; `clouds` from 0 (none) to 1 (many)."""

    def sky(rays: Floats) -> Floats:
        up = np.clip(rays[1], 0.0, 1.0)
        fade = (1 - up) ** 3
        blue = linear(zenith)[:, None] * (1 - fade) + linear(horizon)[:, None] * fade
        flat = 1 / np.maximum(up + 0.12, 0.05)
        x, z = rays[0] * flat, rays[2] * flat
        cover = fbm(x * 1.1, z * 2.2, seed=seed, octaves=6) + 0.35 * fbm(x * 0.4, z * 0.7, seed=seed + 9, octaves=2)
        body = np.clip((cover - 0.75 + 0.9 * clouds) * 1.6, 0, 1) ** 1.3 * np.clip(up * 9, 0, 1)
        under = np.clip(0.5 + 0.9 * fbm(x * 1.1 + 0.12, z * 2.2 + 0.2, seed=seed, octaves=5), 0, 1)
        white = np.array([1.02, 1.0, 0.98], np.float32)[:, None] * (0.72 + 0.3 * under)
        return np.asarray((blue * (1 - body) + white * body) * np.float32(brightness), np.float32)

    return sky


def window_view(*, brightness: float = 2.2, treetops: float = 0.02, seed: int = 50) -> Sky:
    """A bright hazy day behind blurred trees, as a camera set for a room sees it through a window."""
    sky = day_sky(brightness=brightness, clouds=0.45, zenith="#9dbfe0", horizon="#e6eef2", seed=seed)

    def view(rays: Floats) -> Floats:
        around = np.arctan2(rays[0], rays[2]) * 3
        height = rays[1]
        line = treetops + 0.07 * fbm(around * 1.3, np.zeros_like(around), seed=seed + 1, octaves=3)
        trees = np.clip((line - height) / 0.035 + 0.5, 0, 1)
        leaf = 0.75 + 0.35 * fbm(around * 5, height * 16, seed=seed + 2, octaves=3)
        green = linear("#a5b886")[:, None] * leaf * np.float32(brightness * 0.62)
        lawn = np.clip((-0.16 - height) / 0.03, 0, 1)
        green = green * (1 - lawn) + linear("#bcc79b")[:, None] * np.float32(brightness * 0.7) * lawn
        return np.asarray(sky(rays) * (1 - trees) + green * trees, np.float32)

    return view

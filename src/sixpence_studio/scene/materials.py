"""What a surface is made of: its colour, its pattern, its gloss, and the light it gives off itself."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from sixpence_studio.scene.noise import Floats

# Given points and outward directions in the solid's own axes (3, N), the factors (3, N) its colour is multiplied with.
Pattern = Callable[[Floats, Floats], Floats]


@dataclass(frozen=True)
class Material:
    """A surface; `colour` is written as on a screen, `gloss` is the share it mirrors when looked at straight on."""

    colour: str
    pattern: Pattern | None = None
    gloss: float = 0.0
    blur: float = 0.0
    glow: float = 0.0

    def light_colour(self) -> Floats:
        """The colour as amounts of light (linear), shape (3,)."""
        return linear(self.colour)

    def colours(self, local: Floats, normal: Floats) -> Floats:
        """The colour at each point as amounts of light, shape (3, N)."""
        plain = np.repeat(self.light_colour()[:, None], local.shape[1], axis=1)
        if self.pattern is None:
            return plain
        return np.clip(plain * self.pattern(local, normal), 0.0, 0.95).astype(np.float32)


def linear(colour: str) -> Floats:
    """Amounts of red, green and blue light of a colour written `#rrggbb`, each from 0 to 1."""
    screen = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)], np.float32) / 255
    return to_light(screen)


def to_light(screen: Floats) -> Floats:
    """Amounts of light of screen values from 0 to 1 (the sRGB curve)."""
    low = screen / 12.92
    high = ((np.maximum(screen, 0) + 0.055) / 1.055) ** np.float32(2.4)
    return np.where(screen <= 0.04045, low, high).astype(np.float32)


def to_screen(light: Floats) -> Floats:
    """Screen values from 0 to 1 of amounts of light (the sRGB curve)."""
    clipped = np.clip(light, 0, 1)
    return np.where(clipped <= 0.0031308, clipped * 12.92, 1.055 * clipped ** np.float32(1 / 2.4) - 0.055).astype(
        np.float32
    )

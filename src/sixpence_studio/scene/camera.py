"""The eye that looks at a scene: level, with upright lines kept upright, as an architect's camera does."""

import math
from dataclasses import dataclass

import numpy as np

from sixpence_studio.scene.noise import Floats
from sixpence_studio.scene.solids import Vector, unit


@dataclass(frozen=True)
class Camera:
    """`focal` is in picture widths; (`centre`, `horizon`) is the point straight ahead, in shares of both sides."""

    eye: Vector
    focal: float = 0.8
    centre: float = 0.5
    horizon: float = 0.5
    turn: float = 0.0

    def directions(self, x: Floats, y: Floats, *, width: int, height: int) -> Floats:
        """Unit directions (3, N) through the picture points (x, y), in pixels."""
        scale = self.focal * width
        right = (x - self.centre * width) / scale
        up = (self.horizon * height - y) / scale
        ct, st = math.cos(self.turn), math.sin(self.turn)
        return unit(np.stack([right * ct + st, up, ct - right * st]).astype(np.float32))

    def project(self, points: Floats, *, width: int, height: int) -> tuple[Floats, Floats, Floats]:
        """Picture points (x, y in pixels) of scene points, and how far ahead each is."""
        ct, st = math.cos(self.turn), math.sin(self.turn)
        dx, dy, dz = (points[i] - np.float32(self.eye[i]) for i in range(3))
        right, ahead = dx * ct - dz * st, dx * st + dz * ct
        scale = self.focal * width / np.where(np.abs(ahead) < 1e-4, np.float32(1e-4), ahead)
        return (self.centre * width + right * scale).astype(np.float32), \
            (self.horizon * height - dy * scale).astype(np.float32), ahead.astype(np.float32)  # fmt: skip

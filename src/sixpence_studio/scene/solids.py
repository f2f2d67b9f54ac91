"""The solid shapes a scene is made of, each with where a ray hits it and which way its surface faces there.

Units are metres; x to the right, y up, z away from the viewer. Rays are arrays of shape (3, N). What a solid looks like
is its material (materials.py); many solids together are a scene (tracing.py).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from sixpence_studio.scene.materials import Material
from sixpence_studio.scene.noise import Floats

Vector = tuple[float, float, float]
Distance = Callable[[Floats, Floats], Floats]

MARCH_STEPS = 26
SURFACE = 1.5e-3


@dataclass(frozen=True)
class Solid:
    """A shape of given half sizes about its centre, turned about the vertical and then leaning about its own x axis."""

    centre: Vector
    half: Vector
    material: Material
    turn: float = 0.0
    lean: float = 0.0
    roll: float = 0.0
    distance: Distance | None = None
    casts_shadow: bool = True
    axes: Floats = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "axes", _rotation(self.turn, self.lean, self.roll))

    def bounds(self) -> tuple[Floats, Floats]:
        """The lowest and highest corner of the upright box around it."""
        reach = np.abs(self.axes) @ np.asarray(self.half, np.float32)
        centre = np.asarray(self.centre, np.float32)
        return centre - reach, centre + reach

    def to_local(self, points: Floats) -> Floats:
        """The points as seen from the solid's own middle and axes."""
        return self.axes.T @ (points - np.asarray(self.centre, np.float32)[:, None])

    def meet(self, origin: Floats, direction: Floats) -> Floats:
        """How far along each ray the solid begins; infinity where it is missed."""
        o, d = self.to_local(origin), self.axes.T @ direction
        half = np.asarray(self.half, np.float32)[:, None]
        near, far = box_span(o, d, -half, half)
        inside_box = (far > np.maximum(near, SURFACE)) & (far > 0)
        if self.distance is None:
            start = np.where(near > SURFACE, near, far)
            return np.where(inside_box, start, np.inf).astype(np.float32)
        met = np.full(near.shape, np.inf, np.float32)
        index = np.nonzero(inside_box)[0]
        if index.size:
            met[index] = self._march(o[:, index], d[:, index], np.maximum(near[index], SURFACE), far[index])
        return met

    def normal(self, local: Floats) -> Floats:
        """The outward direction of the surface (in the scene's axes) at points given in the solid's own axes."""
        half = np.asarray(self.half, np.float32)
        if self.distance is None:
            facing = np.abs(local) - half[:, None]
            axis = np.argmax(facing, axis=0)
            normal = np.zeros_like(local)
            column = np.arange(local.shape[1])
            normal[axis, column] = np.sign(local[axis, column])
            return self.axes @ normal
        step = np.float32(2e-3)
        normal = np.empty_like(local)
        for axis in range(3):
            ahead, behind = local.copy(), local.copy()
            ahead[axis] += step
            behind[axis] -= step
            normal[axis] = self.distance(ahead, half) - self.distance(behind, half)
        return self.axes @ unit(normal)

    def _march(self, o: Floats, d: Floats, near: Floats, far: Floats) -> Floats:
        assert self.distance is not None
        half = np.asarray(self.half, np.float32)
        met = np.full(near.shape, np.inf, np.float32)
        walking, travelled = np.arange(near.size), near.copy()
        for step in range(MARCH_STEPS):
            gap = self.distance(o + d * travelled, half)
            travelled += gap
            if step % 4 == 3 or step == MARCH_STEPS - 1:
                arrived, gone = gap < SURFACE * 2, travelled > far + SURFACE
                met[walking[arrived & ~gone]] = travelled[arrived & ~gone]
                on = np.nonzero(~arrived & ~gone)[0]
                if not on.size:
                    break
                o, d, travelled, far, walking = o[:, on], d[:, on], travelled[on], far[on], walking[on]
        return met


def box_span(o: Floats, d: Floats, low: Floats, high: Floats) -> tuple[Floats, Floats]:
    """Where rays enter and leave the box between two corners; missed where the second is the smaller."""
    with np.errstate(divide="ignore", invalid="ignore"):
        inverse = 1.0 / np.where(np.abs(d) < 1e-9, np.float32(1e-9), d)
    first, second = (low - o) * inverse, (high - o) * inverse
    low_x, low_y, low_z = np.minimum(first, second)
    high_x, high_y, high_z = np.maximum(first, second)
    return np.maximum(np.maximum(low_x, low_y), low_z), np.minimum(np.minimum(high_x, high_y), high_z)


def unit(vectors: Floats) -> Floats:
    """The same directions with length one."""
    x, y, z = vectors
    length = np.sqrt(x * x + y * y + z * z)
    return np.asarray(vectors / np.maximum(length, 1e-9), np.float32)


def box(centre: Vector, size: Vector, material: Material, *, turn: float = 0.0, lean: float = 0.0,
        roll: float = 0.0) -> Solid:  # fmt: skip
    """A sharp-edged block of the whole size given."""
    return Solid(centre, _halved(size), material, turn, lean, roll)


def soft_box(centre: Vector, size: Vector, material: Material, *, rounding: float = 0.03, turn: float = 0.0,
             lean: float = 0.0, roll: float = 0.0) -> Solid:  # fmt: skip
    """A block with rounded edges."""
    rounding = min(rounding, min(size) / 2 * 0.98)
    return Solid(centre, _halved(size), material, turn, lean, roll, partial(_soft_box, rounding))


def pillow(centre: Vector, size: Vector, material: Material, *, turn: float = 0.0, lean: float = 0.0,
           roll: float = 0.0) -> Solid:  # fmt: skip
    """A cushion: thick in the middle of its z, thin at the rim."""
    return Solid(centre, _halved(size), material, turn, lean, roll, _pillow)


def round_post(centre: Vector, size: Vector, material: Material, *, top: float = 1.0, turn: float = 0.0,
               lean: float = 0.0, roll: float = 0.0) -> Solid:  # fmt: skip
    """An upright round body as wide as `size` at its foot, and `top` times as wide at its top."""
    return Solid(centre, _halved(size), material, turn, lean, roll, partial(_post, top))


def egg(centre: Vector, size: Vector, material: Material, *, turn: float = 0.0, lean: float = 0.0,
        roll: float = 0.0) -> Solid:  # fmt: skip
    """An ellipsoid."""
    return Solid(centre, _halved(size), material, turn, lean, roll, _egg)


def bush(centre: Vector, size: Vector, material: Material, *, ripple: float = 9.0) -> Solid:
    """An ellipsoid with a bumpy, leafy surface."""
    return Solid(centre, _halved(size), material, distance=partial(_bush, ripple))


def gable(centre: Vector, size: Vector, material: Material, *, turn: float = 0.0) -> Solid:
    """A triangular prism, its ridge along z: the wall under a pitched roof."""
    return Solid(centre, _halved(size), material, turn, distance=_gable)


def _halved(size: Vector) -> Vector:
    return (size[0] / 2, size[1] / 2, size[2] / 2)


def _soft_box(rounding: float, p: Floats, half: Floats) -> Floats:
    q = np.maximum(np.abs(p) - (half[:, None] - rounding), 0)
    return np.asarray(np.sqrt(q[0] * q[0] + q[1] * q[1] + q[2] * q[2]) - np.float32(rounding), np.float32)


def _pillow(p: Floats, half: Floats) -> Floats:
    x, y = np.clip(p[0] / half[0], -1, 1), np.clip(p[1] / half[1], -1, 1)
    thickness = half[2] * (0.12 + 0.88 * np.sqrt(np.maximum((1 - x**4) * (1 - y**4), 0)))
    inset = 1 - 0.07 * (1 - np.minimum(x * x, y * y))
    q = np.stack([np.abs(p[0]) - half[0] * inset, np.abs(p[1]) - half[1] * inset])
    across = np.maximum(q, 0)
    flat = np.maximum(np.abs(p[2]) - thickness, 0)
    outside = np.sqrt((across * across).sum(axis=0) + flat * flat)
    inside = np.minimum(np.maximum(np.abs(p[2]) - thickness, q.max(axis=0)), 0)
    return np.asarray((outside + inside) * 0.6, np.float32)


def _post(top: float, p: Floats, half: Floats) -> Floats:
    share = np.clip((p[1] + half[1]) / (2 * half[1]), 0, 1)
    radius = half[0] * (1 + (top - 1) * share) / max(1.0, top)
    slope = half[0] * (top - 1) / (2 * half[1]) / max(1.0, top)
    across = (np.sqrt(p[0] ** 2 + (p[2] * (half[0] / half[2])) ** 2) - radius) / math.sqrt(1 + slope * slope)
    along = np.abs(p[1]) - half[1]
    outside = np.sqrt(np.maximum(across, 0) ** 2 + np.maximum(along, 0) ** 2)
    return np.asarray(outside + np.minimum(np.maximum(across, along), 0), np.float32)


def _egg(p: Floats, half: Floats) -> Floats:
    scaled = p / half[:, None]
    steeper = scaled / half[:, None]
    reach = np.sqrt(scaled[0] * scaled[0] + scaled[1] * scaled[1] + scaled[2] * scaled[2])
    steep = np.sqrt(steeper[0] * steeper[0] + steeper[1] * steeper[1] + steeper[2] * steeper[2])
    return np.asarray(reach * (reach - 1) / np.maximum(steep, 1e-6), np.float32)


def _bush(ripple: float, p: Floats, half: Floats) -> Floats:
    a, b, c = p[0] * ripple, p[1] * ripple, p[2] * ripple
    bumps = np.sin(a + 1.7 * np.sin(b * 0.7)) * np.sin(b + 1.3 * np.sin(c * 0.9)) * np.sin(c + 1.1 * np.sin(a * 0.8))
    fine = np.sin(a * 2.7 + 1.0) * np.sin(b * 2.9 + 0.4) * np.sin(c * 3.1)
    depth = half.min() * (0.16 + 0.13 * bumps + 0.05 * fine)
    return np.asarray((_egg(p, half) + depth) * 0.62, np.float32)


def _gable(p: Floats, half: Floats) -> Floats:
    length = math.hypot(2 * half[1], half[0])
    side = (np.abs(p[0]) * (2 * half[1]) + (p[1] - half[1]) * half[0]) / length
    return np.asarray(np.maximum(np.maximum(side, -p[1] - half[1]), np.abs(p[2]) - half[2]), np.float32)


def _rotation(turn: float, lean: float, roll: float) -> Floats:
    ct, st = math.cos(turn), math.sin(turn)
    cl, sl = math.cos(lean), math.sin(lean)
    cr, sr = math.cos(roll), math.sin(roll)
    about_y = np.array([[ct, 0, st], [0, 1, 0], [-st, 0, ct]])
    about_x = np.array([[1, 0, 0], [0, cl, -sl], [0, sl, cl]])
    about_z = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
    return np.asarray(about_y @ about_x @ about_z, np.float32)

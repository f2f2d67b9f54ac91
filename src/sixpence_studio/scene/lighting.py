"""How much light arrives at points of a scene: from the sun, through windows, from lamps, from the sky, and from walls.

Light is gathered by following random paths (the seed decides them) for a few bounces; the result is noisy, and
`smooth_light` smooths it without blurring edges. A white surface shows amounts of light as they are.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from sixpence_studio.scene.noise import Floats
from sixpence_studio.scene.solids import Vector, unit
from sixpence_studio.scene.tracing import Scene

Sky = Callable[[Floats], Floats]

BRIGHTEST_SAMPLE = 9.0
LIFT = 2.5e-3


@dataclass(frozen=True)
class Sun:
    """Light from one direction (towards it), as wide as `width` radians."""

    towards: Vector
    colour: Vector
    width: float = 0.02


@dataclass(frozen=True)
class Window:
    """An opening that lets the sky in: a corner and its two sides; `light` is what shines through it."""

    corner: Vector
    side: Vector
    other_side: Vector
    light: Vector


@dataclass(frozen=True)
class Lamp:
    """A small shining ball."""

    centre: Vector
    radius: float
    light: Vector


@dataclass(frozen=True)
class Lights:
    """All that shines on a scene; `sky` is what the eye sees beyond it, and lights it where there are no windows."""

    sun: Sun | None = None
    windows: Sequence[Window] = field(default=())
    lamps: Sequence[Lamp] = field(default=())
    sky: Sky | None = None
    ambient: Vector = (0.0, 0.0, 0.0)
    bounces: int = 2


def gathered_light(scene: Scene, lights: Lights, points: Floats, normals: Floats, *, samples: int,
                   generator: np.random.Generator, sun_too: bool = True) -> Floats:  # fmt: skip
    """The light (3, N) that arrives at points with given outward directions, the mean of `samples` random paths."""
    total = np.zeros_like(points)
    tints = np.stack([solid.material.light_colour() for solid in scene.solids], axis=1)
    glows = np.array([solid.material.glow for solid in scene.solids], np.float32)
    for _ in range(samples):
        total += _path(scene, lights, tints, glows, points, normals, generator, lights.bounces, sun_too)
    return total / np.float32(samples)


def sun_light(scene: Scene, sun: Sun, points: Floats, normals: Floats, generator: np.random.Generator) -> Floats:
    """The light (3, N) that comes straight from the sun, along one random ray a point."""
    count = points.shape[1]
    towards = np.asarray(sun.towards, np.float32)[:, None]
    jitter = (generator.random((3, count), np.float32) - 0.5) * np.float32(sun.width * 2)
    rays = unit(towards / np.float32(math.sqrt(float((towards**2).sum()))) + jitter)
    facing = (rays * normals).sum(axis=0)
    lit = np.nonzero(facing > 1e-3)[0]
    strength = np.zeros(count, np.float32)
    origin = points[:, lit] + normals[:, lit] * np.float32(LIFT)
    free = ~scene.blocked(origin, rays[:, lit], np.full(lit.size, 1e3, np.float32))
    strength[lit[free]] = facing[lit[free]]
    return np.asarray(sun.colour, np.float32)[:, None] * strength


def smooth_light(light: Floats, points: Floats, normals: Floats, *, rounds: int, reach: float) -> Floats:
    """Noise taken out of light laid out as a picture (H, W, 3), but not across corners or gaps wider than `reach`."""
    result = light
    for step in (1 << k for k in range(rounds)):
        total, weights = result.copy(), np.ones(result.shape[:2], np.float32)
        for dy in (-step, 0, step):
            for dx in (-step, 0, step):
                if dx == 0 and dy == 0:
                    continue
                here, there = _overlap(result.shape[:2], dy, dx)
                aligned = np.maximum((normals[here] * normals[there]).sum(axis=2), 0)
                aligned = np.square(np.square(np.square(np.square(aligned))))
                apart = np.abs(((points[here] - points[there]) * normals[here]).sum(axis=2))
                weight = aligned * np.exp(-((apart / reach) ** 2)) * (0.7 if dx and dy else 0.9)
                total[here] += result[there] * weight[..., None]
                weights[here] += weight
        result = total / weights[..., None]
    return result


def _path(scene: Scene, lights: Lights, tints: Floats, glows: Floats, points: Floats, normals: Floats,
          generator: np.random.Generator, bounces: int, sun_too: bool) -> Floats:  # fmt: skip
    light = _direct(scene, lights, points, normals, generator)
    if sun_too and lights.sun is not None:
        light += sun_light(scene, lights.sun, points, normals, generator)
    ambient = np.asarray(lights.ambient, np.float32)[:, None]
    if bounces == 0:
        return light + ambient
    rays = _around(normals, generator)
    origin = points + normals * np.float32(LIFT)
    hits = scene.first_hits(origin, rays)
    missed = hits.number < 0
    if lights.sky is not None and not lights.windows:
        light[:, missed] += lights.sky(rays[:, missed])
    else:
        light[:, missed] += ambient
    met = np.nonzero(~missed)[0]
    if not met.size:
        return light
    numbers = hits.number[met]
    there = origin[:, met] + rays[:, met] * hits.distance[met]
    facing = normals_at(scene, numbers, there, rays[:, met])
    arriving = _path(scene, lights, tints, glows, there, facing, generator, bounces - 1, True)
    tint = tints[:, numbers]
    light[:, met] += np.minimum(arriving * tint + tint * glows[numbers], BRIGHTEST_SAMPLE)
    return light


def normals_at(scene: Scene, numbers: NDArray[np.int32], points: Floats, rays: Floats) -> Floats:
    """The outward directions (3, N) of the solids with those numbers at points on them, turned to face the rays."""
    normals = np.zeros_like(points)
    for number in np.unique(numbers):
        index = np.nonzero(numbers == number)[0]
        solid = scene.solids[number]
        normals[:, index] = solid.normal(solid.to_local(points[:, index]))
    away = (normals * rays).sum(axis=0) > 0
    normals[:, away] *= -1
    return normals


def _direct(scene: Scene, lights: Lights, points: Floats, normals: Floats, generator: np.random.Generator) -> Floats:
    light = np.zeros_like(points)
    origin = points + normals * np.float32(LIFT)
    for window in lights.windows:
        corner, side, other = (np.asarray(v, np.float32)[:, None] for v in (window.corner, window.side,
                                                                           window.other_side))  # fmt: skip
        chance = generator.random((2, points.shape[1]), np.float32)
        target = corner + side * chance[0] + other * chance[1]
        outward = np.cross(side[:, 0], other[:, 0])
        area = float(np.linalg.norm(outward))
        light += _from_point(scene, origin, normals, target, outward / area, area / math.pi, window.light)
    for lamp in lights.lamps:
        direction = unit(generator.standard_normal(points.shape, np.float32))
        target = np.asarray(lamp.centre, np.float32)[:, None] + direction * np.float32(lamp.radius)
        light += _from_point(scene, origin, normals, target, None, 1.0, lamp.light)
    return np.minimum(light, BRIGHTEST_SAMPLE)


def _from_point(scene: Scene, origin: Floats, normals: Floats, target: Floats, outward: Floats | None,
                share: float, light: Vector) -> Floats:  # fmt: skip
    way = target - origin
    squared = np.maximum((way * way).sum(axis=0), 0.02)
    distance = np.sqrt(squared)
    ray = way / distance
    strength = (ray * normals).sum(axis=0) * np.float32(share) / squared
    if outward is not None:
        strength = strength * np.abs(ray.T @ outward.astype(np.float32))
    index = np.nonzero(strength > 1e-4)[0]
    free = ~scene.blocked(origin[:, index], ray[:, index], distance[index] - np.float32(0.01))
    result = np.zeros(strength.shape, np.float32)
    result[index[free]] = strength[index[free]]
    return np.asarray(light, np.float32)[:, None] * result


def _around(normals: Floats, generator: np.random.Generator) -> Floats:
    return unit(normals * np.float32(1.0001) + unit(generator.standard_normal(normals.shape, np.float32)))


def _overlap(shape: tuple[int, int], dy: int, dx: int) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    height, width = shape
    here = (slice(max(0, -dy), height - max(0, dy)), slice(max(0, -dx), width - max(0, dx)))
    there = (slice(max(0, dy), height + min(0, dy)), slice(max(0, dx), width + min(0, dx)))
    return here, there

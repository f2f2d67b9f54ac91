"""A scene as a picture: what each ray sees, lit, mirrored where it is glossy, and developed like a photograph.

Light is gathered on a coarser grid than the picture and laid over it along edges, because light is smooth where
surfaces are; the sun's own edges and the patterns of surfaces are worked out at every point.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from sixpence_studio.scene.camera import Camera
from sixpence_studio.scene.lighting import Lights, gathered_light, normals_at, smooth_light, sun_light
from sixpence_studio.scene.materials import to_screen
from sixpence_studio.scene.noise import Floats
from sixpence_studio.scene.resizing import resized
from sixpence_studio.scene.solids import unit
from sixpence_studio.scene.tracing import Scene

Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class View:
    """What each point of a picture sees: the solid's number (-1: none), where, its outward direction; (H, W, ...)."""

    number: NDArray[np.int32]
    points: Floats
    normals: Floats
    rays: Floats


@dataclass(frozen=True)
class Quality:
    """How much work goes into a picture: points a pixel's side, paths a light point, light points to the width."""

    oversampling: int = 2
    samples: int = 32
    light_width: int = 600


def look(scene: Scene, camera: Camera, *, width: int, height: int) -> View:
    """What a picture of this size sees through its pixels' middles."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32) + np.float32(0.5)
    rays = camera.directions(x.reshape(-1), y.reshape(-1), width=width, height=height)
    origin = np.asarray(camera.eye, np.float32)[:, None]
    hits = scene.first_hits(origin, rays)
    seen = np.nonzero(hits.number >= 0)[0]
    points, normals = np.zeros_like(rays), np.zeros_like(rays)
    points[:, seen] = origin + rays[:, seen] * hits.distance[seen]
    normals[:, seen] = normals_at(scene, hits.number[seen], points[:, seen], rays[:, seen])
    return View(hits.number.reshape(height, width), *(_as_picture(a, height, width) for a in (points, normals, rays)))


def draw(scene: Scene, lights: Lights, camera: Camera, *, width: int, height: int, seed: int, quality: Quality,
         exposure: float = 1.0) -> Pixels:  # fmt: skip
    """The developed picture (height, width, 3) of a scene; the same for the same inputs."""
    generator = np.random.default_rng(seed)
    light_height = round(quality.light_width * height / width)
    coarse = look(scene, camera, width=quality.light_width, height=light_height)
    light = scattered_light(scene, lights, coarse, samples=quality.samples, generator=generator)
    fine = look(scene, camera, width=width * quality.oversampling, height=height * quality.oversampling)
    radiance = shade(scene, lights, fine, light_over(light, coarse, fine), generator)
    radiance = _with_mirrored(scene, lights, camera, fine, radiance, generator)
    small = resized(tone(radiance * np.float32(exposure)), (width, height), how=cv2.INTER_AREA)
    return develop(small)


def scattered_light(scene: Scene, lights: Lights, view: View, *, samples: int,
                    generator: np.random.Generator) -> Floats:  # fmt: skip
    """All light but the straight sun's at each point of a view, as a picture with little noise."""
    height, width = view.number.shape
    seen = np.nonzero(view.number.reshape(-1) >= 0)[0]
    points, normals = (_as_list(a)[:, seen] for a in (view.points, view.normals))
    light = np.zeros((3, height * width), np.float32)
    light[:, seen] = gathered_light(scene, lights, points, normals, samples=samples, generator=generator,
                                    sun_too=False)  # fmt: skip
    return smooth_light(_as_picture(light, height, width), view.points, view.normals, rounds=4, reach=0.03)


def light_over(light: Floats, coarse: View, fine: View) -> Floats:
    """Light of a coarse view laid over a finer one, taken for each point from neighbours on the same surface."""
    height, width = fine.number.shape
    low_height, low_width = coarse.number.shape
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    gx = np.clip((x + 0.5) * low_width / width - 0.5, 0, low_width - 1.001)
    gy = np.clip((y + 0.5) * low_height / height - 0.5, 0, low_height - 1.001)
    column, row = gx.astype(np.int32), gy.astype(np.int32)
    fx, fy = gx - column, gy - row
    normals, points, spots = (_as_list(a) for a in (fine.normals, fine.points, coarse.points))
    low_normals, low_light = _as_list(coarse.normals), _as_list(light)
    depth = (points * normals).sum(axis=0)
    total, weights = np.zeros_like(points), np.zeros(height * width, np.float32)
    for dy in (0, 1):
        for dx in (0, 1):
            r, c = np.minimum(row + dy, low_height - 1), np.minimum(column + dx, low_width - 1)
            index = (r * low_width + c).reshape(-1)
            aligned = np.maximum((normals * low_normals[:, index]).sum(axis=0), 0)
            aligned = np.square(np.square(np.square(aligned)))
            apart = (depth - (spots[:, index] * normals).sum(axis=0)) * np.float32(50)
            near = ((fx if dx else 1 - fx) * (fy if dy else 1 - fy) + np.float32(0.002)).reshape(-1)
            weight = near * (aligned * np.exp(-apart * apart) + np.float32(1e-4))
            total += low_light[:, index] * weight
            weights += weight
    return _as_picture(total / np.maximum(weights, 1e-9), height, width)


def shade(scene: Scene, lights: Lights, view: View, light: Floats, generator: np.random.Generator) -> Floats:
    """The light (H, W, 3) that each point of a view sends to the eye, mirrored light left out."""
    height, width = view.number.shape
    numbers = view.number.reshape(-1)
    points, normals, rays = (_as_list(a) for a in (view.points, view.normals, view.rays))
    arriving = _as_list(light).copy()
    seen = np.nonzero(numbers >= 0)[0]
    if lights.sun is not None:
        arriving[:, seen] += sun_light(scene, lights.sun, points[:, seen], normals[:, seen], generator)
    result = np.zeros_like(arriving)
    for number in np.unique(numbers):
        index = np.nonzero(numbers == number)[0]
        if number < 0:
            if lights.sky is not None:
                result[:, index] = lights.sky(rays[:, index])
            continue
        solid = scene.solids[number]
        colours = solid.material.colours(solid.to_local(points[:, index]), solid.axes.T @ normals[:, index])
        result[:, index] = colours * (arriving[:, index] + np.float32(solid.material.glow))
    return _as_picture(result, height, width)


def tone(radiance: Floats) -> Floats:
    """Light as a film would show it: bright parts rolled off softly, still in amounts of light."""
    grey = (radiance @ np.array([0.21, 0.72, 0.07], np.float32))[..., None]
    x = np.maximum(radiance * np.float32(0.86) + grey * np.float32(0.14), 0) * np.float32(0.72)
    return np.asarray((x * (2.51 * x + 0.03)) / (x * (2.43 * x + 0.59) + 0.14), np.float32)


def develop(light: Floats) -> Pixels:
    """A finished picture of toned light: a little bloom about what is bright, corners a little darker."""
    height, width = light.shape[:2]
    bright = np.maximum(light - 0.75, 0)
    bloom = cv2.GaussianBlur(bright, (0, 0), width / 45) * np.float32(0.55)
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j].astype(np.float32)
    corner = 1 - np.float32(0.13) * np.clip((x * x + y * y) / 2, 0, 1)
    finished = to_screen((light + bloom) * corner[..., None])
    return np.asarray(np.round(finished * 255), np.uint8)


def _with_mirrored(scene: Scene, lights: Lights, camera: Camera, view: View, radiance: Floats,
                   generator: np.random.Generator) -> Floats:  # fmt: skip
    height, width = view.number.shape
    gloss = np.array([solid.material.gloss for solid in scene.solids] + [0.0], np.float32)
    blur = np.array([solid.material.blur for solid in scene.solids] + [0.0], np.float32)
    numbers = view.number.reshape(-1)
    index = np.nonzero(gloss[numbers] > 0)[0]
    if not index.size:
        return radiance
    points, normals, rays = (_as_list(a)[:, index] for a in (view.points, view.normals, view.rays))
    facing = -(rays * normals).sum(axis=0)
    jitter = generator.standard_normal(rays.shape, np.float32) * blur[numbers[index]]
    mirrored = unit(rays + 2 * facing * normals + jitter)
    hits = scene.first_hits(points + normals * np.float32(3e-3), mirrored)
    light = _light_met(scene, lights, camera, view, radiance, points, mirrored, hits.number, hits.distance)
    base = gloss[numbers[index]]
    share = base + (1 - base) * (1 - np.clip(facing, 0, 1)) ** 5 * np.minimum(1, base * 12)
    flat = _as_list(radiance).copy()
    flat[:, index] = flat[:, index] * (1 - share) + light * share
    return _as_picture(flat, height, width)


def _light_met(scene: Scene, lights: Lights, camera: Camera, view: View, radiance: Floats, points: Floats,
               rays: Floats, numbers: NDArray[np.int32], distance: Floats) -> Floats:  # fmt: skip
    """The light of mirrored rays: the picture itself where it shows what they hit, else the plain colour."""
    height, width = view.number.shape
    brought = lights.sky(rays) if lights.sky is not None else np.full(rays.shape, 0.6, np.float32)
    met = np.nonzero(numbers >= 0)[0]
    there = points[:, met] + rays[:, met] * distance[met]
    tints = np.stack([s.material.light_colour() * (0.55 + s.material.glow) for s in scene.solids], axis=1)
    brought[:, met] = tints[:, numbers[met]]
    x, y, ahead = camera.project(there, width=width, height=height)
    column, row = np.clip(x, 0, width - 1).astype(np.int32), np.clip(y, 0, height - 1).astype(np.int32)
    shown = (view.number[row, column] == numbers[met]) & (ahead > 0.05)
    shown &= (x >= 0) & (x < width) & (y >= 0) & (y < height)
    shown &= np.abs(view.points[row, column] - there.T).max(axis=1) < 0.15
    brought[:, met[shown]] = radiance[row[shown], column[shown]].T
    return brought


def _as_picture(values: Floats, height: int, width: int) -> Floats:
    return np.ascontiguousarray(values.T).reshape(height, width, 3)


def _as_list(picture: Floats) -> Floats:
    return np.ascontiguousarray(picture.reshape(-1, 3).T)

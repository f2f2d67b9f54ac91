"""`furnish`: furniture set into a picture of an empty room, in its perspective and in its light.

The camera is guessed from the room's lines. The furniture is geometry in front of it, traced and lit; its shade on the
floor is the light that the floor receives with it, divided by the light without it. The sets are in arrangements.py.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np

from sixpence_studio.generators.analysis.perspective import FOCAL, RoomGuess, guess_room
from sixpence_studio.generators.analysis.surfaces import EYE_HEIGHT, wall_depth
from sixpence_studio.generators.painting.arrangements import ARRANGEMENTS, PALETTES, get_arrangement
from sixpence_studio.generators.painting.tones import as_floats, as_pixels, luminance, small_size
from sixpence_studio.generators.picture import Picture, jpeg_bytes
from sixpence_studio.generators.protocol import Choice, Option, Result, chosen
from sixpence_studio.scene.camera import Camera
from sixpence_studio.scene.furniture import Piece
from sixpence_studio.scene.lighting import Lights
from sixpence_studio.scene.materials import Material, to_light, to_screen
from sixpence_studio.scene.noise import Floats
from sixpence_studio.scene.rendering import View, light_over, look, scattered_light, shade
from sixpence_studio.scene.resizing import resized
from sixpence_studio.scene.solids import box, unit
from sixpence_studio.scene.tracing import Scene

LIGHT_SIDE = 180
LIGHT_SAMPLES = 6
DRAWN_MAX = 560_000  # points traced for the furniture itself


@dataclass(frozen=True)
class Furnish:
    """Furnishes an empty room."""

    name: str = "furnish"
    title: str = "Furnish"
    description: str = "Sets furniture into the room, in its perspective and in its light."
    options: tuple[Option, ...] = (
        Choice("set", "Furniture", tuple((a.name, a.title) for a in ARRANGEMENTS), "lounge"),
        Choice("palette", "Colours", tuple((name, title) for name, title, _ in PALETTES), "natural"),
    )

    def generate(self, picture: Picture, options: Mapping[str, str], seed: int) -> Result:
        """The furnished room, as a JPEG of the same size."""
        values = chosen(self.options, options)
        palette = next(p for name, _, p in PALETTES if name == values["palette"])
        arrangement = get_arrangement(values["set"])
        floats = as_floats(picture)
        room = guess_room(floats)
        aspect = picture.height / picture.width
        depth = float(np.clip(wall_depth(room, aspect), 3.4, 7.5))
        width = (room.right - room.left) / FOCAL * depth
        middle = ((room.right + room.left) / 2 - room.x) / FOCAL * depth
        things = arrangement.things(palette, depth, width, middle)
        return Result(
            "image/jpeg",
            jpeg_bytes(as_pixels(_with_things(floats, room, things, (middle, width, depth), seed))),
            ".jpg",
        )


def _with_things(values: Floats, room: RoomGuess, things: list[Piece],
                 ground: tuple[float, float, float], seed: int) -> Floats:  # fmt: skip
    height, width = values.shape[:2]
    camera = Camera(eye=(0.0, EYE_HEIGHT, 0.0), focal=FOCAL, centre=room.x, horizon=room.y)
    lights = _lights_of(values)
    scene = Scene([[box((0, -0.05, 6), (60, 0.1, 60), Material("#b3a592"))], *things])
    generator = np.random.default_rng(seed)
    low_width, low_height = small_size((height, width), LIGHT_SIDE)
    coarse = look(scene, camera, width=low_width, height=low_height)
    light = scattered_light(scene, lights, coarse, samples=LIGHT_SAMPLES, generator=generator)
    top, bottom, left, right = _frame_about(camera, things, height, width)
    window = (slice(top, bottom), slice(left, right))
    high, wide = bottom - top, right - left
    finer = min(2.0, (DRAWN_MAX / (high * wide)) ** 0.5)
    near = Camera(camera.eye, FOCAL * width / wide, (room.x * width - left) / wide, (room.y * height - top) / high)
    fine = look(scene, near, width=round(wide * finer), height=round(high * finer))
    over = _light_within(light, coarse, fine, window, height, width)
    radiance = shade(scene, lights, fine, over, generator) * np.float32(_exposure(values))
    share = (fine.number > 0).astype(np.float32)
    open_floor = _usual_light(lights)
    dimmed = np.clip(luminance(over) / open_floor, 0.1, 1) ** np.float32(1.9)
    middle, room_width, depth = ground
    floor = (fine.number == 0) & (np.abs(fine.points[..., 0] - middle) < room_width / 2) & (fine.points[..., 2] < depth)
    floor_share = floor.astype(np.float32)
    size = (wide, high)
    covered = resized(share, size, how=cv2.INTER_AREA)
    drawn = resized(_rolled_off(radiance) * share[..., None], size, how=cv2.INTER_AREA)
    shadow = resized(dimmed * floor_share, size, how=cv2.INTER_AREA)
    floor_covered = resized(floor_share, size, how=cv2.INTER_AREA)
    factor = (shadow + (1 - floor_covered)) * _inner(high, wide) + (1 - _inner(high, wide))
    shaded = to_light(values[window]) * factor[..., None]
    result = values.copy()
    result[window] = to_screen((shaded * (1 - covered[..., None]) + drawn).astype(np.float32))
    return result


def _light_within(light: Floats, coarse: View, fine: View, window: tuple[slice, slice], height: int,
                  width: int) -> Floats:  # fmt: skip
    """The coarse light over a finer view of a part of the picture."""
    low_height, low_width = coarse.number.shape
    rows = slice(window[0].start * low_height // height, -(-window[0].stop * low_height // height))
    columns = slice(window[1].start * low_width // width, -(-window[1].stop * low_width // width))
    part = View(coarse.number[rows, columns], coarse.points[rows, columns], coarse.normals[rows, columns],
                coarse.rays[rows, columns])  # fmt: skip
    return light_over(light[rows, columns], part, fine)


def _frame_about(camera: Camera, things: list[Piece], height: int, width: int) -> tuple[int, int, int, int]:
    """The rows and columns of the picture that the things and their shade can reach."""
    low, high = Scene(things).bounds()
    reach = 0.7
    corners = [[x, y, max(0.9, z)] for x in (low[0] - reach, high[0] + reach) for y in (0, high[1] + 0.05)
               for z in (low[2] - reach, high[2] + reach)]  # fmt: skip
    x, y, _ = camera.project(np.array(corners, np.float32).T, width=width, height=height)
    top, bottom = int(np.clip(y.min(), 0, height - 40)), int(np.clip(y.max(), 40, height))
    left, right = int(np.clip(x.min(), 0, width - 40)), int(np.clip(x.max(), 40, width))
    return top, max(bottom, top + 40), left, max(right, left + 40)


def _lights_of(values: Floats) -> Lights:
    """Soft light from all around, stronger from the side on which the picture is brighter."""
    grey = resized(luminance(values), (32, 20), how=cv2.INTER_AREA)
    left, right = float(np.percentile(grey[:, :9], 90)), float(np.percentile(grey[:, -9:], 90))
    side = float(np.clip((right - left) * 5, -1, 1)) or -0.4
    towards = np.array([0.9 * side, 0.42, -0.3 + 0.25 * (1 - abs(side))], np.float32)
    towards /= np.linalg.norm(towards)

    def sky(rays: Floats) -> Floats:
        facing = np.clip((rays * towards[:, None]).sum(axis=0), 0, 1)
        above = np.clip(0.55 + 0.45 * rays[1], 0, 1)
        strength = 0.42 * above + 3.4 * facing**4
        return np.asarray(np.array([1.03, 1.0, 0.96], np.float32)[:, None] * strength, np.float32)

    return Lights(sky=sky, bounces=1, ambient=(0.3, 0.28, 0.26))


def _usual_light(lights: Lights) -> float:
    """What an open floor receives."""
    assert lights.sky is not None
    chance = np.random.default_rng(3)
    rays = unit(np.array([[0.0], [1.0], [0.0]], np.float32) + unit(chance.standard_normal((3, 4000), np.float32)))
    return float(luminance(lights.sky(rays).T).mean())


def _exposure(values: Floats) -> float:
    bright = float(np.percentile(luminance(values)[::4, ::4], 62))
    return float(np.clip(float(to_light(np.array(bright, np.float32))) / 0.54, 0.3, 1.2))


def _rolled_off(light: Floats) -> Floats:
    knee = np.float32(0.6)
    return np.where(light > knee, knee + (1 - knee) * (1 - np.exp(-(light - knee) / (1 - knee))), light).astype(
        np.float32
    )


def _inner(height: int, width: int) -> Floats:
    """1 inside, falling to 0 at the rim."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    edge = np.minimum(np.minimum(x, width - 1 - x) / width, np.minimum(y, height - 1 - y + 0.04 * height) / height)
    return np.asarray(np.clip(edge / 0.04, 0, 1), np.float32)

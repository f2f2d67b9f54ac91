"""`interior`: the same room done over in another style.

Floor, walls and ceiling get new materials in the room's own perspective and keep its light; the things in it are
recoloured. surfaces.py guesses where the surfaces are; styles.py has the styles.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np

from sixpence_studio.generators.analysis.surfaces import EYE_HEIGHT, Surfaces, find_surfaces, floor_places, wall_places
from sixpence_studio.generators.painting.recolouring import recoloured
from sixpence_studio.generators.painting.styles import STYLES, Style, WallPaint, get_style
from sixpence_studio.generators.painting.tones import as_floats, as_pixels, blurred, graded, luminance, mixed
from sixpence_studio.generators.picture import Picture, jpeg_bytes
from sixpence_studio.generators.protocol import Choice, Option, Result, chosen
from sixpence_studio.scene.materials import linear, to_light, to_screen
from sixpence_studio.scene.noise import Floats
from sixpence_studio.scene.resizing import resized


@dataclass(frozen=True)
class Interior:
    """Does a room over in another style."""

    name: str = "interior"
    title: str = "Interior"
    description: str = "Does the room over in another style: walls, floor, fabrics and light."
    options: tuple[Option, ...] = (
        Choice("style", "Style", tuple((style.name, style.title) for style in STYLES), "scandinavian"),
    )

    def generate(self, picture: Picture, options: Mapping[str, str], seed: int) -> Result:  # noqa: ARG002
        """The room in that style, as a JPEG of the same size."""
        style = get_style(chosen(self.options, options)["style"])
        values = as_floats(picture)
        return Result("image/jpeg", jpeg_bytes(as_pixels(_done_over(values, find_surfaces(values), style))), ".jpg")


def _done_over(values: Floats, surfaces: Surfaces, style: Style) -> Floats:
    height, width = values.shape[:2]
    masks = (surfaces.ceiling, surfaces.wall, surfaces.floor)
    cover = np.clip(surfaces.ceiling + surfaces.wall + surfaces.floor, 0, 1)
    room = recoloured(values, style, rest=1 - cover)
    brightness = luminance(to_light(_evened(values)))
    new = _lit(_materials(surfaces, style, height, width), _shade(brightness, masks))
    result = mixed(room, new, cover)
    if style.gloss:
        result = mixed(result, _mirroring(result, surfaces, style.gloss), surfaces.floor)
    return graded(result, warmth=style.warmth, contrast=style.contrast, saturation=style.saturation)


def _materials(surfaces: Surfaces, style: Style, height: int, width: int) -> Floats:
    """The materials of ceiling, walls and floor at each point, as amounts of light (H, W, 3)."""
    wall_x, wall_y = wall_places(height, width, surfaces.room)
    floor_x, floor_z = floor_places(height, width, surfaces.room)
    walls = _laid(lambda u, v: style.wall(u, v + np.float32(EYE_HEIGHT)), wall_x, wall_y, surfaces.wall)
    floor = _laid(
        lambda u, v: linear(style.floor_colour)[:, None] * style.floor(u, v), floor_x, floor_z, surfaces.floor
    )
    parts = ((surfaces.wall, walls * np.float32(style.wall_brightness)), (surfaces.floor, floor))
    total = linear(style.ceiling)[:, None] * surfaces.ceiling.reshape(-1)
    weight = surfaces.ceiling.reshape(-1).copy()
    for mask, material in parts:
        total = total + material * mask.reshape(-1)
        weight += mask.reshape(-1)
    return np.ascontiguousarray((total / np.maximum(weight, 1e-3)).T).reshape(height, width, 3)


def _shade(brightness: Floats, masks: tuple[Floats, ...]) -> Floats:
    """How bright each point is, relative to its surface."""
    total, weight = np.full_like(brightness, 1e-3 * 0.4), np.full_like(brightness, 1e-3)
    for mask in masks:
        inside = mask > 0.6
        usual = float(np.median(brightness[inside])) if inside.any() else 0.4
        total += mask * np.float32(max(0.02, usual))
        weight += mask
    return np.clip(brightness * weight / total, 0.05, 4.0) ** np.float32(0.96)


def _laid(material: WallPaint, u: Floats, v: Floats, mask: Floats) -> Floats:
    """The material (amounts of light, (3, H * W)) where the mask is, each point the mean of two places in it."""
    total = np.zeros((3, mask.size), np.float32)
    index = np.nonzero(mask.reshape(-1) > 0.004)[0]
    du, dv = np.gradient(u, axis=1), np.gradient(v, axis=0)
    flat_u, flat_v = u.reshape(-1)[index], v.reshape(-1)[index]
    step_u, step_v = du.reshape(-1)[index] * np.float32(0.25), dv.reshape(-1)[index] * np.float32(0.25)
    for sign in (-1, 1):
        total[:, index] += material(flat_u + sign * step_u, flat_v + sign * step_v) * np.float32(0.5)
    return total


def _lit(materials: Floats, shade: Floats) -> Floats:
    """The materials in that light, as screen values; sunlit parts a little warmer, and nothing overexposed."""
    sunny = np.clip(shade - 1.3, 0, 1.2)[..., None] * np.array([0.05, 0.03, 0.0], np.float32)
    light = materials * shade[..., None] + sunny
    knee = np.float32(0.62)
    bright = light > knee
    light[bright] = knee + (1 - knee) * (1 - np.exp(-(light[bright] - knee) / (1 - knee)))
    return to_screen(light)


def _evened(values: Floats) -> Floats:
    """The picture without its patterns: light and shade with their edges kept."""
    height, width = values.shape[:2]
    small = resized(values, (width // 3, height // 3), how=cv2.INTER_AREA)
    for _ in range(2):
        small = np.asarray(cv2.bilateralFilter(small, 11, 0.13, 6), np.float32)
    return np.asarray(np.clip(resized(small, (width, height), how=cv2.INTER_CUBIC), 0, 1), np.float32)


def _mirroring(room: Floats, surfaces: Surfaces, gloss: float) -> Floats:
    """The room with a polished floor: it mirrors what is above it, upside down and blurred."""
    height, width = room.shape[:2]
    soft = blurred(room, height / 130)
    rows = np.arange(height)
    edge = surfaces.room.bottom * height
    mirrored = soft[np.clip(2 * edge - rows, 0, height - 1).astype(np.int32)]
    fade = np.clip(1 - (rows - edge) / (0.75 * height), 0, 1)[:, None] * np.float32(gloss * 1.6)
    share = np.clip(np.broadcast_to(fade, (height, width)), 0, 0.6).astype(np.float32)
    return mixed(room, np.clip(room * 0.35 + mirrored * 0.8, 0, 1).astype(np.float32), share)

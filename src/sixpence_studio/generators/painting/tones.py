"""Work on whole pictures that several generators share: colour spaces, masks along edges, grading, added light.

Pictures are float arrays (H, W, 3) from 0 to 1 as on a screen, masks (H, W) from 0 to 1.
"""

import cv2
import numpy as np

from sixpence_studio.generators.picture import Picture, Pixels
from sixpence_studio.scene.materials import linear, to_screen
from sixpence_studio.scene.noise import Floats
from sixpence_studio.scene.resizing import resized


def as_floats(picture: Picture) -> Floats:
    """The picture's values from 0 to 1."""
    return picture.pixels.astype(np.float32) / np.float32(255)


def as_pixels(values: Floats) -> Pixels:
    """Values from 0 to 1 as a picture's pixels."""
    return np.asarray(np.round(np.clip(values, 0, 1) * 255), np.uint8)


def to_lab(values: Floats) -> Floats:
    """Lightness 0..100 and two colour axes (CIE Lab)."""
    return np.asarray(cv2.cvtColor(np.ascontiguousarray(values), cv2.COLOR_RGB2LAB), np.float32)


def from_lab(lab: Floats) -> Floats:
    """The opposite of `to_lab`."""
    return np.asarray(cv2.cvtColor(np.ascontiguousarray(lab), cv2.COLOR_LAB2RGB), np.float32)


def luminance(values: Floats) -> Floats:
    """Brightness as the eye weighs it, 0..1."""
    return np.asarray(values @ np.array([0.299, 0.587, 0.114], np.float32), np.float32)


def colour(written: str) -> Floats:
    """A colour written `#rrggbb` as screen values, shape (3,)."""
    return to_screen(linear(written))


def blurred(values: Floats, radius: float) -> Floats:
    """A Gaussian blur of `radius` pixels, computed on a smaller picture where that makes no difference."""
    height, width = values.shape[:2]
    step = int(max(1, radius // 4))
    if step == 1:
        return np.asarray(cv2.GaussianBlur(values, (0, 0), max(radius, 0.3)), np.float32)
    small = resized(values, (max(1, width // step), max(1, height // step)), how=cv2.INTER_AREA)
    small = np.asarray(cv2.GaussianBlur(small, (0, 0), radius / step), np.float32)
    return np.asarray(resized(small, (width, height), how=cv2.INTER_LINEAR), np.float32)


def guided(mask: Floats, guide: Floats, *, radius: int, softness: float = 1e-3) -> Floats:
    """The mask drawn to the edges of a grey guide picture (the guided filter of He, Sun and Tang, 2010)."""
    size = (2 * radius + 1, 2 * radius + 1)

    def mean(values: Floats) -> Floats:
        return np.asarray(cv2.blur(values, size), np.float32)

    mean_guide, mean_mask = mean(guide), mean(mask)
    variance = mean(guide * guide) - mean_guide * mean_guide
    slope = (mean(guide * mask) - mean_guide * mean_mask) / (variance + np.float32(softness))
    offset = mean_mask - slope * mean_guide
    return np.asarray(np.clip(mean(slope) * guide + mean(offset), 0, 1), np.float32)


def enlarged_mask(mask: Floats, picture: Floats, *, radius: int = 10) -> Floats:
    """A small mask at a picture's size, its rim on the picture's edges."""
    height, width = picture.shape[:2]
    large = resized(mask.astype(np.float32), (width, height), how=cv2.INTER_LINEAR)
    drawn = guided(large, luminance(picture), radius=radius, softness=4e-4)
    return np.asarray(np.clip((drawn - 0.5) * 1.7 + 0.5, 0, 1), np.float32)


def graded(values: Floats, *, warmth: float = 0.0, contrast: float = 1.0, saturation: float = 1.0, lift: float = 0.0,
           gamma: float = 1.0) -> Floats:  # fmt: skip
    """The picture warmer or cooler, with more or less contrast and colour, its shadows lifted, its middle brighter."""
    result = np.power(np.clip(values, 0, 1), np.float32(gamma))
    grey = luminance(result)[..., None]
    result = grey + (result - grey) * np.float32(saturation)
    result = 0.5 + (result - 0.5) * np.float32(contrast)
    result = result * np.float32(1 - lift) + np.float32(lift)
    tint = np.array([1 + warmth, 1 + 0.15 * warmth, 1 - warmth], np.float32)
    return np.clip(result * tint, 0, 1).astype(np.float32)


def mixed(first: Floats, second: Floats, share: Floats | float) -> Floats:
    """`second` laid over `first` where the share is 1."""
    weight = share[..., None] if isinstance(share, np.ndarray) and share.ndim == 2 else share
    return np.asarray(first + (second - first) * weight, np.float32)


def screened(values: Floats, light: Floats) -> Floats:
    """Light added as on a second exposure: never beyond white."""
    return np.asarray(1 - (1 - np.clip(values, 0, 1)) * (1 - np.clip(light, 0, 1)), np.float32)


def small_size(shape: tuple[int, ...], side: int) -> tuple[int, int]:
    """The (width, height) of a small copy of an array (height, width, ...), its longer side `side`."""
    height, width = shape[:2]
    scale = side / max(width, height)
    return max(16, round(width * scale)), max(16, round(height * scale))


def places(height: int, width: int) -> tuple[Floats, Floats]:
    """The x and y of every pixel's middle, in picture heights from the upper left corner."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    return (x + np.float32(0.5)) / np.float32(height), (y + np.float32(0.5)) / np.float32(height)

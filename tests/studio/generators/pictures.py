"""Uploaded files for the tests: small sample rooms, and pictures in every file format."""

import io
from typing import Any

import numpy as np
from PIL import Image

from sixpence_studio.generators import Picture, Result, open_picture
from sixpence_studio.rooms import get_room


def small_room(name: str, width: int = 400) -> Picture:
    """A sample room, made small so that tests are quick."""
    with Image.open(get_room(name).path) as image:
        return open_picture(file_of(image.resize((width, round(width * image.height / image.width)))))


def gradient(mode: str = "RGB", size: tuple[int, int] = (120, 90)) -> Image.Image:
    """A picture that runs from dark to bright and from red to blue."""
    x, y = np.meshgrid(np.linspace(0, 255, size[0]), np.linspace(0, 255, size[1]))
    image = Image.fromarray(np.stack([x, (x + y) / 2, y], axis=2).astype(np.uint8))
    return image.convert(mode)


def file_of(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    """The bytes of a file of that picture."""
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def pixels_of(result: Result) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """The pixels of a made picture (of a video, of its first frame)."""
    with Image.open(io.BytesIO(result.data)) as image:
        return np.asarray(image.convert("RGB"), np.uint8)


def mean_difference(first: np.ndarray[Any, Any], second: np.ndarray[Any, Any]) -> float:
    """The mean absolute difference of two pictures' values, 0 to 255."""
    return float(np.abs(first.astype(np.float64) - second.astype(np.float64)).mean())

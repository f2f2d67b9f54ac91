"""Pictures as the generators use them: read from uploaded bytes, and written to files.

Kind and size are read from the header before decoding, so a small file cannot expand into a huge picture.
"""

import io
import struct
import warnings
import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from sixpence_studio.generators.errors import PictureError

Pixels = NDArray[np.uint8]

BYTES_MAX = 10 * 1024 * 1024
PIXELS_MAX = 40_000_000
SIDE_MIN = 64
SIDE_MAX = 1280

_FORMATS = ("PNG", "JPEG", "WEBP")
_ADVICE = "Please send a PNG, JPEG or WebP picture."
_BROKEN = (OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, TypeError, OverflowError, struct.error,
           zlib.error)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Picture:
    """A picture in red, green and blue, 8 bits each: a read-only array (height, width, 3)."""

    pixels: Pixels

    @property
    def width(self) -> int:
        """In pixels."""
        return int(self.pixels.shape[1])

    @property
    def height(self) -> int:
        """In pixels."""
        return int(self.pixels.shape[0])


def open_picture(data: bytes) -> Picture:
    """Read a picture from uploaded bytes, upright, at most 1280 pixels on its longer side.

    An animation gives its first frame, and transparent parts become white. Raises PictureError for anything but a
    complete PNG, JPEG or WebP of at least 64 pixels a side, and at most 40 megapixels and 10 MB.
    """
    if not data:
        raise PictureError(f"The file is empty. {_ADVICE}")
    if len(data) > BYTES_MAX:
        size, limit = len(data) / 1048576, BYTES_MAX // 1048576
        raise PictureError(f"The file has {size:.1f} MB; at most {limit} MB are accepted. Please send a smaller one.")
    image = _recognised(data)
    _check_size(image.width, image.height)
    try:
        image.draft("RGB", (SIDE_MAX, SIDE_MAX))
        image.load()
        upright = ImageOps.exif_transpose(image)
        small = _shrunk(_as_rgb(upright))
    except _BROKEN as error:
        raise PictureError(
            "The picture is damaged or cut off and could not be read to its end. Please save or upload it again."
        ) from error
    _check_size(small.width, small.height)
    return picture_of(np.asarray(small, np.uint8))


def picture_of(pixels: Pixels) -> Picture:
    """Return a picture of a copy of the array (height, width, 3)."""
    own = np.array(pixels, np.uint8, order="C")
    own.setflags(write=False)
    return Picture(own)


def jpeg_bytes(pixels: Pixels) -> bytes:
    """Return the pixels (height, width, 3) as a JPEG file."""
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


def _recognised(data: bytes) -> Image.Image:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            return Image.open(io.BytesIO(data), formats=_FORMATS)
    except Image.DecompressionBombError as error:
        raise PictureError(_too_large("far")) from error
    except UnidentifiedImageError as error:
        raise PictureError(f"{_what_it_looks_like(data)} {_ADVICE}") from error
    except _BROKEN as error:
        raise PictureError(f"The beginning of the picture is damaged. {_ADVICE}") from error


def _what_it_looks_like(data: bytes) -> str:
    start = data[:512].lstrip().lower()
    if data[:6] in (b"GIF87a", b"GIF89a"):
        return "This is a GIF, which is not accepted."
    if start.startswith((b"<svg", b"<?xml", b"<!doctype svg")):
        return "This looks like an SVG drawing, which is not accepted."
    if data[4:12] in (b"ftypheic", b"ftypheix", b"ftypmif1", b"ftypavif"):
        return "This is a HEIC or AVIF picture, which is not accepted."
    if data[:4] == b"%PDF":
        return "This is a PDF, not a picture."
    return "The file is no picture that could be recognised."


def _check_size(width: int, height: int) -> None:
    if width * height > PIXELS_MAX:
        raise PictureError(_too_large(f"with {width} x {height} pixels"))
    if min(width, height) < SIDE_MIN:
        raise PictureError(
            f"The picture is too small: {width} x {height} pixels. It needs at least {SIDE_MIN} on each side."
        )


def _too_large(how: str) -> str:
    limit = PIXELS_MAX // 1_000_000
    return f"The picture is {how} too large; at most {limit} megapixels are accepted. Please scale it down."


def _as_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I") or image.mode == "F":
        values = np.asarray(image, np.float64)
        return Image.fromarray(np.clip(values / 257, 0, 255).astype(np.uint8)).convert("RGB")
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        clear = image.convert("RGBA")
        ground = Image.new("RGBA", clear.size, (255, 255, 255, 255))
        return Image.alpha_composite(ground, clear).convert("RGB")
    return image.convert("RGB")


def _shrunk(image: Image.Image) -> Image.Image:
    longest = max(image.size)
    if longest <= SIDE_MAX:
        return image
    size = (max(1, round(image.width * SIDE_MAX / longest)), max(1, round(image.height * SIDE_MAX / longest)))
    return image.resize(size, Image.Resampling.LANCZOS)

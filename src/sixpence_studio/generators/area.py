"""Areas marked on a picture, as text: rectangles in shares of its width and height, or a mask picture.

`0.1 0.2 0.3 0.4; 0.5 0.5 0.1 0.1` marks two rectangles (left, top, width, height); `data:image/png;base64,...` marks
what is light in the PNG, laid over the whole picture.
"""

import base64
import binascii
import io
import math

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from sixpence_studio.generators.errors import OptionError

Marked = NDArray[np.bool_]

HOW = "rectangles `left top width height` in shares of the picture (0 to 1), split by `;`, or a PNG mask as a data URL"
RECTANGLES_MAX = 50
MASK_PIXELS_MAX = 4_000_000
SHARE_MAX = 0.6

_MASK_START = "data:image/png;base64,"


def marked_area(option: str, value: str, *, height: int, width: int) -> Marked:
    """The marked points (height, width); raises OptionError for nothing, too much or invalid text."""
    if value.startswith(_MASK_START):
        marked = _of_mask(option, value, height, width)
    else:
        marked = _of_rectangles(option, value, height, width)
    if not marked.any():
        raise OptionError(option, value, [f"an area within the picture: {HOW}"])
    if marked.mean() > SHARE_MAX:
        raise OptionError(option, value, [f"an area of at most {SHARE_MAX:.0%} of the picture"])
    return marked


def _of_rectangles(option: str, value: str, height: int, width: int) -> Marked:
    marked = np.zeros((height, width), np.bool_)
    rectangles = [part for part in value.split(";") if part.strip()]
    if len(rectangles) > RECTANGLES_MAX:
        raise OptionError(option, value, [f"at most {RECTANGLES_MAX} rectangles"])
    for rectangle in rectangles:
        try:
            left, top, wide, high = (float(number) for number in rectangle.replace(",", " ").split())
        except ValueError as error:
            raise OptionError(option, value, [HOW]) from error
        if not all(math.isfinite(n) and 0 <= n <= 1 for n in (left, top, wide, high)):
            raise OptionError(option, value, [HOW])
        marked[_span(top, high, height), _span(left, wide, width)] = True
    return marked


def _span(start: float, length: float, size: int) -> slice:
    return slice(round(start * size), min(size, round((start + length) * size)))


def _of_mask(option: str, value: str, height: int, width: int) -> Marked:
    try:
        data = base64.b64decode(value[len(_MASK_START) :], validate=True)
        image = Image.open(io.BytesIO(data), formats=("PNG",))
        if image.width * image.height > MASK_PIXELS_MAX:
            raise OptionError(option, value, [f"a mask of at most {MASK_PIXELS_MAX} pixels"])
        grey = np.asarray(_over_black(image), np.uint8)
    except OptionError:
        raise
    except (binascii.Error, UnidentifiedImageError, OSError, SyntaxError, ValueError, EOFError,
            Image.DecompressionBombError, Image.DecompressionBombWarning) as error:  # fmt: skip
        raise OptionError(option, value, [HOW]) from error
    return np.asarray(cv2.resize(grey, (width, height), interpolation=cv2.INTER_LINEAR) > 127, np.bool_)


def _over_black(image: Image.Image) -> Image.Image:
    clear = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", clear.size, (0, 0, 0, 255)), clear).convert("L")

"""`remove`: the marked area disappears, and its surroundings fill the gap."""

import io
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from PIL import Image

from sixpence_studio.generators.area import HOW, marked_area
from sixpence_studio.generators.painting.inpainting import filled
from sixpence_studio.generators.painting.tones import as_floats, as_pixels
from sixpence_studio.generators.picture import Picture
from sixpence_studio.generators.protocol import Area, Option, Result, chosen


@dataclass(frozen=True)
class Remove:
    """Takes a thing out of the picture."""

    name: str = "remove"
    title: str = "Remove"
    description: str = "Takes away what you mark and fills the gap with what surrounds it."
    options: tuple[Option, ...] = (Area("area", "What to remove", HOW),)

    def generate(self, picture: Picture, options: Mapping[str, str], seed: int) -> Result:
        """Return the picture without it, as a PNG: outside the marked area no value changes."""
        area = chosen(self.options, options)["area"]
        marked = marked_area("area", area, height=picture.height, width=picture.width)
        new = as_pixels(filled(as_floats(picture), marked, seed))
        whole = np.where(marked[..., None], new, picture.pixels)
        buffer = io.BytesIO()
        Image.fromarray(whole).save(buffer, "PNG", compress_level=3)
        return Result("image/png", buffer.getvalue(), ".png")

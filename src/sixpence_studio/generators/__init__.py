"""The picture generators of the studio: one a feature, each behind the small protocol of protocol.py.

They stand in for an AI model and do real work on the picture's pixels, on the CPU, without a network. To use a
real model for a feature, put it into a mapping like GENERATORS under the feature's name.
"""

from collections.abc import Mapping
from types import MappingProxyType

from sixpence_studio.generators.errors import GeneratorError, OptionError, PictureError
from sixpence_studio.generators.exterior import Exterior
from sixpence_studio.generators.furnish import Furnish
from sixpence_studio.generators.interior import Interior
from sixpence_studio.generators.picture import Picture, open_picture
from sixpence_studio.generators.protocol import Area, Choice, Generator, Option, Result
from sixpence_studio.generators.remove import Remove
from sixpence_studio.generators.sketch import Sketch
from sixpence_studio.generators.video import Video

__all__ = [
    "GENERATORS",
    "Area",
    "Choice",
    "Generator",
    "GeneratorError",
    "Option",
    "OptionError",
    "Picture",
    "PictureError",
    "Result",
    "open_picture",
]

_ALL: tuple[Generator, ...] = (Interior(), Exterior(), Sketch(), Furnish(), Remove(), Video())

GENERATORS: Mapping[str, Generator] = MappingProxyType({generator.name: generator for generator in _ALL})

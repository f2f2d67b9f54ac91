"""A generator that is quick, slow or endless, fails, or dies, to test the code around generators.

It is not a mock: it runs in the same worker processes and works on the same pictures as the studio's own.
"""

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from starlette.applications import Starlette

from sixpence_studio.app import create_studio
from sixpence_studio.generators import GENERATORS, Choice, Option, Picture, Result
from sixpence_studio.generators.picture import jpeg_bytes

SLOW_SECONDS = 1.0
BEHAVIOURS = ("quick", "slow", "endless", "faulty", "deadly")


@dataclass(frozen=True)
class MirrorGenerator:
    """Mirrors the picture; the option `behaviour` makes it slow, endless, faulty or deadly."""

    name: str = "sketch"
    title: str = "Mirror"
    description: str = "Shows the picture as a mirror does."
    options: tuple[Option, ...] = (
        Choice("behaviour", "Behaviour", tuple((each, each) for each in BEHAVIOURS), "quick"),
    )

    def generate(self, picture: Picture, options: Mapping[str, str], seed: int) -> Result:  # noqa: ARG002
        """The picture, left and right exchanged."""
        behaviour = options.get("behaviour", "quick")
        if behaviour == "faulty":
            raise RuntimeError("a secret of the generator")
        if behaviour == "deadly":
            os._exit(3)
        time.sleep({"slow": SLOW_SECONDS, "endless": 3600.0}.get(behaviour, 0.0))
        return Result("image/jpeg", jpeg_bytes(np.flip(picture.pixels, axis=1)), ".jpg")


def create_mirror_studio() -> Starlette:
    """The studio with sketches by `MirrorGenerator`."""
    return create_studio(generators={**GENERATORS, "sketch": MirrorGenerator()})

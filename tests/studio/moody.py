"""A generator in several moods, for what happens around one: it works at once or slowly, never ends, fails, or dies.

Not a stand-in for the studio's own: whatever it does, it does in the same worker processes, to the same pictures.
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
MOODS = ("quick", "slow", "endless", "faulty", "deadly")


@dataclass(frozen=True)
class Moody:
    """Mirrors the picture, in the mood that is asked for."""

    name: str = "sketch"
    title: str = "Mirror"
    description: str = "Shows the picture as a mirror does."
    options: tuple[Option, ...] = (Choice("mood", "Mood", tuple((mood, mood) for mood in MOODS), "quick"),)

    def generate(self, picture: Picture, options: Mapping[str, str], seed: int) -> Result:  # noqa: ARG002
        """The picture, left and right exchanged."""
        mood = options.get("mood", "quick")
        if mood == "faulty":
            raise RuntimeError("a secret of the generator")
        if mood == "deadly":
            os._exit(3)
        time.sleep({"slow": SLOW_SECONDS, "endless": 3600.0}.get(mood, 0.0))
        return Result("image/jpeg", jpeg_bytes(np.flip(picture.pixels, axis=1)), ".jpg")


def create_moody_studio() -> Starlette:
    """The studio with sketches by `Moody`."""
    return create_studio(generators={**GENERATORS, "sketch": Moody()})

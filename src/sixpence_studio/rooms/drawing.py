"""A sample picture before it is drawn: the scene, its light and the camera."""

from collections.abc import Sequence
from dataclasses import dataclass

from sixpence_studio.scene.camera import Camera
from sixpence_studio.scene.lighting import Lights
from sixpence_studio.scene.rendering import Pixels, Quality, draw
from sixpence_studio.scene.solids import Solid
from sixpence_studio.scene.tracing import Scene


@dataclass(frozen=True)
class Drawing:
    """Everything a picture is drawn from."""

    things: Sequence[Sequence[Solid]]
    lights: Lights
    camera: Camera
    exposure: float = 1.0

    def pixels(self, *, width: int, height: int, quality: Quality, seed: int = 1) -> Pixels:
        """The picture (height, width, 3), the same for the same inputs; a larger one shows the same, only finer."""
        return draw(Scene(self.things), self.lights, self.camera, width=width, height=height, seed=seed,
                    quality=quality, exposure=self.exposure)  # fmt: skip

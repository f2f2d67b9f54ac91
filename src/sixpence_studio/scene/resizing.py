"""Pictures and masks of other sizes, with OpenCV's ways of going between points (`cv2.INTER_...`)."""

import cv2
import numpy as np

from sixpence_studio.scene.noise import Floats


def resized(values: Floats, size: tuple[int, int], how: int = cv2.INTER_LINEAR) -> Floats:
    """The values (H, W) or (H, W, 3) at another size (width, height)."""
    return np.asarray(cv2.resize(values, size, interpolation=how), np.float32)

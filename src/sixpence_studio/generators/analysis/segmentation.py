"""Parts of a picture by colour: groups of similar colours, and a region cut out along its edges."""

import cv2
import numpy as np
from numpy.typing import NDArray

from sixpence_studio.scene.noise import Floats


def colour_groups(sample: Floats, count: int) -> tuple[NDArray[np.int32], Floats]:
    """The group of each colour (N, 3), and the groups' mean colours (count, 3); the same for the same sample."""
    cv2.setRNGSeed(1)
    criteria = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 20, 0.5)
    points, none = np.asarray(sample, np.float32), np.zeros((len(sample), 1), np.int32)
    _, labels, centres = cv2.kmeans(points, count, none, criteria, 2, cv2.KMEANS_PP_CENTERS)
    return np.asarray(labels, np.int32).reshape(-1), np.asarray(centres, np.float32)


def cut_out(values: Floats, marks: NDArray[np.uint8], *, rounds: int) -> NDArray[np.bool_]:
    """The region that OpenCV's marks (`cv2.GC_...`) begin, ending where its colours do (GrabCut, Rother 2004)."""
    cv2.setRNGSeed(1)
    pixels = np.round(np.clip(values, 0, 1) * 255).astype(np.uint8)
    whole = (0, 0, marks.shape[1], marks.shape[0])
    models = np.zeros((1, 65)), np.zeros((1, 65))
    final = marks.copy()
    cv2.grabCut(pixels, final, whole, *models, rounds, cv2.GC_INIT_WITH_MASK)
    return np.asarray((final == cv2.GC_FGD) | (final == cv2.GC_PR_FGD), np.bool_)

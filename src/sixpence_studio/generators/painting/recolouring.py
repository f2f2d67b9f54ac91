"""The things in a room recoloured in a style: similar colours change together and keep their light and shade."""

import cv2
import numpy as np

from sixpence_studio.generators.analysis.segmentation import colour_groups
from sixpence_studio.generators.painting.styles import Style
from sixpence_studio.generators.painting.tones import colour, from_lab, mixed, small_size, to_lab
from sixpence_studio.scene.noise import Floats
from sixpence_studio.scene.resizing import resized

GROUPS = 7


def recoloured(values: Floats, style: Style, *, rest: Floats) -> Floats:
    """The picture (H, W, 3) with everything in `rest` recoloured; plants, windows and whites do not change."""
    lab = to_lab(values)
    small = resized(lab, small_size(values.shape, 240), how=cv2.INTER_AREA)
    mask = resized(rest, (small.shape[1], small.shape[0]), how=cv2.INTER_AREA) > 0.6
    sample = small[mask]
    if len(sample) < 50:
        return values
    weights = np.array([0.45, 1, 1], np.float32)
    labels, centres = colour_groups(sample * weights, GROUPS)
    centres = centres / weights
    targets = _targets(centres, np.bincount(labels, minlength=GROUPS).astype(np.float32), style)
    half = resized(lab, ((lab.shape[1] + 1) // 2, (lab.shape[0] + 1) // 2), how=cv2.INTER_AREA)
    change = resized(_change(half, centres, targets, weights), (lab.shape[1], lab.shape[0]))
    glare = np.clip((94 - lab[..., 0]) / 14, 0, 1)[..., None]
    new = lab + change * glare
    new[..., 0] = np.clip(new[..., 0], 0, 100)
    return mixed(values, np.clip(from_lab(new), 0, 1), rest)


def _change(lab: Floats, centres: Floats, targets: list[Floats | None], weights: Floats) -> Floats:
    """How far each point's colour moves: as its group's colour, or a mean over similar groups."""
    total, shift = np.zeros(lab.shape[:2], np.float32), np.zeros_like(lab)
    for centre, target in zip(centres, targets, strict=True):
        x, y, z = (((lab[..., k] - centre[k]) * weights[k]) for k in range(3))
        near = np.exp((x * x + y * y + z * z) * np.float32(-1 / (2 * 9.0**2)))
        total += near
        if target is not None:
            shift += near[..., None] * ((target - centre) * np.array([0.6, 0.95, 0.95], np.float32))
    return np.asarray(shift / np.maximum(total, 1e-4)[..., None], np.float32)


def _targets(centres: Floats, sizes: Floats, style: Style) -> list[Floats | None]:
    """The new colour of each group, the most colourful groups first; None for a group that does not change."""
    chroma = np.hypot(centres[:, 1], centres[:, 2])
    accents = [style.accent, style.second_accent]
    targets: list[Floats | None] = [None] * len(centres)
    for k in np.argsort(-chroma * np.sqrt(sizes), kind="stable"):
        lightness, hue = float(centres[k, 0]), float(np.degrees(np.arctan2(centres[k, 2], centres[k, 1])))
        if chroma[k] > 12 and 95 < hue < 165:
            continue
        if lightness > 86 and chroma[k] < 16:
            continue
        if lightness < 20:
            written = style.dark
        elif 42 < hue < 92 and chroma[k] > 11 and lightness < 72:
            written = style.timber
        elif chroma[k] > 20 and accents:
            written = accents.pop(0)
        else:
            written = style.fabric
        targets[k] = to_lab(colour(written)[None, None])[0, 0]
    return targets

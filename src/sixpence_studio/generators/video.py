"""`video`: a camera moves through the picture; an animated WebP that runs in a loop.

The picture is laid on the inside of a box: the room guessed from its lines (a wide and shallow one outdoors). The
camera moves in that box, so near things pass faster than far ones.
"""

import io
import math
from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image

from sixpence_studio.generators.analysis.outdoors import find_sky
from sixpence_studio.generators.analysis.perspective import FOCAL, RoomGuess, guess_room
from sixpence_studio.generators.analysis.surfaces import EYE_HEIGHT, wall_depth
from sixpence_studio.generators.painting.tones import as_floats, to_lab
from sixpence_studio.generators.picture import Picture, Pixels
from sixpence_studio.generators.protocol import Choice, Option, Result, chosen
from sixpence_studio.scene.noise import Floats

SIDE_MAX = 640
FRAMES = 32
FRAME_MILLISECONDS = 80
OUTDOORS = RoomGuess(x=0.5, y=0.58, left=0.06, top=0.04, right=0.94, bottom=0.8, sure=0.0)


@dataclass(frozen=True)
class _Pose:
    """Where the camera is (metres from where the picture was taken), where it looks, and how closely."""

    right: float
    up: float
    ahead: float
    turn: float
    zoom: float


@dataclass(frozen=True)
class Video:
    """Moves a camera through the picture."""

    name: str = "video"
    title: str = "Video"
    description: str = "Moves a camera through the picture: a short clip that runs in a loop."
    options: tuple[Option, ...] = (
        Choice("move", "Camera", (("push", "Push in"), ("pan", "Pan"), ("orbit", "Orbit")), "push"),
    )

    def generate(self, picture: Picture, options: Mapping[str, str], seed: int) -> Result:  # noqa: ARG002
        """The clip: an animated WebP of the picture's proportions, at most 640 pixels wide and high."""
        move = chosen(self.options, options)["move"]
        room = _room_of(picture)
        scale = min(1.0, SIDE_MAX / max(picture.width, picture.height))
        size = (max(2, round(picture.width * scale)), max(2, round(picture.height * scale)))
        source = np.asarray(cv2.resize(picture.pixels, (round(size[0] * 1.3), round(size[1] * 1.3)),
                                       interpolation=cv2.INTER_AREA), np.uint8)  # fmt: skip
        depth = float(np.clip(wall_depth(room, picture.height / picture.width), 2.5, 12))
        frames = [_frame(source, size, room, depth, _pose(move, k / FRAMES, depth)) for k in range(FRAMES)]
        return Result("image/webp", _animation(frames), ".webp")


def _room_of(picture: Picture) -> RoomGuess:
    values = as_floats(picture)
    sky = find_sky(values) > 0.6
    if sky.mean() > 0.05:
        lab = to_lab(values[::4, ::4])[sky[::4, ::4]]
        if float(np.median(lab[:, 2])) < -3:
            return OUTDOORS
    return guess_room(values)


def _pose(move: str, share: float, depth: float) -> _Pose:
    """The camera at a share of the loop; it comes back to where it began."""
    angle = 2 * math.pi * share
    eased = 0.5 - 0.5 * math.cos(angle)
    if move == "push":
        return _Pose(0.05 * math.sin(angle), 0.03 * math.sin(angle), depth * (0.04 + 0.27 * eased), 0.0, 1.03)
    if move == "pan":
        side = math.sin(angle)
        return _Pose(0.085 * depth * side, 0.008 * depth * math.cos(angle), depth * 0.06, 0.075 * side, 1.2)
    side = math.sin(angle)
    return _Pose(0.12 * depth * side, 0.022 * depth * math.cos(angle), depth * (0.09 - 0.05 * math.cos(angle)),
                 -0.105 * side, 1.12)  # fmt: skip


def _frame(source: Pixels, size: tuple[int, int], room: RoomGuess, depth: float, pose: _Pose) -> Pixels:
    """What the camera sees: follow each point's ray to the box, and look the box's point up in the picture."""
    width, height = size
    aspect = height / width
    x, y = np.meshgrid(
        (np.arange(width, dtype=np.float32) + 0.5) / width, (np.arange(height, dtype=np.float32) + 0.5) / height
    )
    focal = FOCAL * pose.zoom
    right = (x - np.float32(room.x)) / np.float32(focal)
    up = (np.float32(room.y) - y) * np.float32(aspect / focal)
    ct, st = np.float32(math.cos(pose.turn)), np.float32(math.sin(pose.turn))
    dx, dz = right * ct + st, ct - right * st
    reach = _reach(room, depth, aspect, pose, dx, up, dz)
    px, py, pz = pose.right + dx * reach, pose.up + up * reach, np.maximum(pose.ahead + dz * reach, 0.05)
    column = (room.x + px / pz * FOCAL) * source.shape[1] - 0.5
    row = (room.y - py / pz * FOCAL / aspect) * source.shape[0] - 0.5
    return np.asarray(cv2.remap(source, column.astype(np.float32), row.astype(np.float32), cv2.INTER_LINEAR,
                                borderMode=cv2.BORDER_REFLECT_101), np.uint8)  # fmt: skip


def _reach(room: RoomGuess, depth: float, aspect: float, pose: _Pose, dx: Floats, dy: Floats, dz: Floats) -> Floats:
    """How far each ray runs until it hits the nearest side of the box."""
    low = np.array([(room.left - room.x) / FOCAL * depth, -EYE_HEIGHT], np.float32)
    high = np.array([(room.right - room.x) / FOCAL * depth, (room.y - room.top) * aspect / FOCAL * depth], np.float32)
    start = (pose.right, pose.up)
    reach = (depth - pose.ahead) / np.maximum(dz, 1e-3)
    for axis, direction in enumerate((dx, dy)):
        away = np.where(direction > 0, high[axis] - start[axis], low[axis] - start[axis])
        along = np.abs(direction) < 1e-4
        reach = np.minimum(reach, np.where(along, np.inf, away / np.where(along, np.float32(1), direction)))
    return np.asarray(reach, np.float32)


def _animation(frames: list[Pixels]) -> bytes:
    images = [Image.fromarray(frame) for frame in frames]
    buffer = io.BytesIO()
    images[0].save(buffer, "WEBP", save_all=True, append_images=images[1:], duration=FRAME_MILLISECONDS, loop=0,
                   quality=76, method=0)  # fmt: skip
    return buffer.getvalue()

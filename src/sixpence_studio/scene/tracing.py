"""A scene of solids in groups, and which of them a ray hits first.

A group is a thing (a sofa, a wall): the box around it is tried before its solids are, so a ray is tested only
against what it passes. How light travels then is in lighting.py.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from sixpence_studio.scene.noise import Floats
from sixpence_studio.scene.solids import Solid

Indexes = NDArray[np.int32]
Flags = NDArray[np.bool_]

CHUNK = 1 << 16
SIEVED = 2  # in groups of more solids than this, a ray is first tested against the ball around each


@dataclass(frozen=True)
class Hits:
    """What rays hit: the solid's number (-1 for nothing) and its distance."""

    number: Indexes
    distance: Floats


@dataclass(frozen=True)
class Scene:
    """Things, each a sequence of solids."""

    things: Sequence[Sequence[Solid]]
    solids: list[Solid] = field(init=False)
    _groups: list[tuple[Floats, Floats, list[int]]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        solids: list[Solid] = []
        groups: list[tuple[Floats, Floats, list[int]]] = []
        for thing in self.things:
            if not thing:
                continue
            numbers = list(range(len(solids), len(solids) + len(thing)))
            solids.extend(thing)
            corners = [solid.bounds() for solid in thing]
            low = np.min([low for low, _ in corners], axis=0)[:, None]
            high = np.max([high for _, high in corners], axis=0)[:, None]
            groups.append((low.astype(np.float32), high.astype(np.float32), numbers))
        object.__setattr__(self, "solids", solids)
        object.__setattr__(self, "_groups", groups)

    def bounds(self) -> tuple[Floats, Floats]:
        """The corners of the box around everything, each of shape (3,)."""
        return (
            np.min([low[:, 0] for low, _, _ in self._groups], axis=0),
            np.max([high[:, 0] for _, high, _ in self._groups], axis=0),
        )

    def first_hits(self, origin: Floats, direction: Floats) -> Hits:
        """The nearest solid along each ray; `origin` may be one point (3, 1) for all."""
        count = direction.shape[1]
        number = np.full(count, -1, np.int32)
        distance = np.full(count, np.inf, np.float32)
        for start in range(0, count, CHUNK):
            part = slice(start, start + CHUNK)
            o = np.broadcast_to(origin, direction.shape)[:, part]
            self._chunk_hits(o, direction[:, part], number[part], distance[part])
        return Hits(number, distance)

    def blocked(self, origin: Floats, direction: Floats, reach: Floats) -> Flags:
        """Whether anything that casts shadows is on each ray nearer than `reach`."""
        count = direction.shape[1]
        result = np.zeros(count, np.bool_)
        for start in range(0, count, CHUNK):
            part = slice(start, start + CHUNK)
            self._chunk_blocked(origin[:, part], direction[:, part], reach[part], result[part])
        return result

    def _chunk_hits(self, o: Floats, d: Floats, number: Indexes, distance: Floats) -> None:
        inverse = _inverse(d)
        for low, high, numbers in self._groups:
            near, far = _span(o, inverse, low, high)
            index = np.nonzero((far >= np.maximum(near, 0)) & (near < distance))[0]
            if not index.size:
                continue
            ray_o, ray_d = o[:, index], d[:, index]
            for candidate in numbers:
                solid = self.solids[candidate]
                close = _passing(solid, ray_o, ray_d) if len(numbers) > SIEVED else np.arange(index.size)
                met = solid.meet(ray_o[:, close], ray_d[:, close])
                closer = met < distance[index[close]]
                chosen = index[close[closer]]
                distance[chosen] = met[closer]
                number[chosen] = candidate

    def _chunk_blocked(self, o: Floats, d: Floats, reach: Floats, result: Flags) -> None:
        inverse = _inverse(d)
        for low, high, numbers in self._groups:
            near, far = _span(o, inverse, low, high)
            index = np.nonzero((far >= np.maximum(near, 0)) & (near < reach) & ~result)[0]
            for candidate in numbers:
                if not index.size:
                    break
                solid = self.solids[candidate]
                if not solid.casts_shadow:
                    continue
                close = _passing(solid, o[:, index], d[:, index]) if len(numbers) > SIEVED else np.arange(index.size)
                on = index[close]
                met = solid.meet(o[:, on], d[:, on]) < reach[on]
                result[on[met]] = True
                index = index[~result[index]]


def _passing(solid: Solid, o: Floats, d: Floats) -> NDArray[np.intp]:
    """Which rays (of length one) come as near to a solid's middle as its farthest corner."""
    x, y, z = (np.float32(centre) - part for centre, part in zip(solid.centre, o, strict=True))
    along = x * d[0] + y * d[1] + z * d[2]
    reach = np.float32(sum(half * half for half in solid.half) * 1.002)
    return np.nonzero(x * x + y * y + z * z - along * along <= reach)[0]


def _inverse(d: Floats) -> Floats:
    return np.asarray(1.0 / np.where(np.abs(d) < 1e-9, np.float32(1e-9), d), np.float32)


def _span(o: Floats, inverse: Floats, low: Floats, high: Floats) -> tuple[Floats, Floats]:
    near = np.full(o.shape[1], -np.inf, np.float32)
    far = np.full(o.shape[1], np.inf, np.float32)
    for axis in range(3):
        first, second = (low[axis] - o[axis]) * inverse[axis], (high[axis] - o[axis]) * inverse[axis]
        np.maximum(near, np.minimum(first, second), out=near)
        np.minimum(far, np.maximum(first, second), out=far)
    return near, far

"""Smooth repeatable noise, looked up in small tables: the grain behind every drawn surface, cloud and sheet of paper.

Colours and patterns are made of it elsewhere (textures.py, skies.py). `noise_table` computes the tables; between calls
only a read-only cache of them remains, and each depends on its seed alone.
"""

from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

# Computed and stored in 32 bits, although NumPy widens some intermediate values.
Floats = NDArray[np.floating[Any]]

TABLE_SIZE = 512


def fbm(x: Floats, y: Floats, *, seed: int = 0, octaves: int = 4) -> Floats:
    """Fractal noise between about -1 and 1 at the points (x, y); the coarsest bumps are one unit wide."""
    total = np.zeros(x.shape, np.float32)
    weight, reach = 1.0, 0.0
    for octave in range(octaves):
        total += weight * smooth_noise(x * 2.0**octave, y * 2.0**octave, seed=seed + octave)
        reach += weight
        weight *= 0.5
    return np.asarray(total * (1.6 / reach), np.float32)


def smooth_noise(x: Floats, y: Floats, *, seed: int = 0) -> Floats:
    """Noise between -1 and 1, one bump a unit, repeating every 64 units."""
    table = noise_table(seed)
    scale = TABLE_SIZE / 64.0
    return _look_up(table, x * np.float32(scale), y * np.float32(scale))


def cell_value(i: NDArray[np.int64], j: NDArray[np.int64], *, seed: int = 0) -> Floats:
    """A value from 0 to 1 that belongs to the cell (i, j) of a pattern: a plank, a tile, a stone."""
    mixed = (i * 374761393 + j * 668265263 + seed * 2147483647) & 0xFFFFFFFF
    mixed = ((mixed ^ (mixed >> 13)) * 1274126177) & 0xFFFFFFFF
    mixed = mixed ^ (mixed >> 16)
    return np.asarray((mixed & 0xFFFFFF) / float(0x1000000), np.float32)


@lru_cache(maxsize=32)
def noise_table(seed: int) -> Floats:
    """The repeating table of a seed: random points smoothed to bumps eight cells wide, scaled to about -1..1."""
    generator = np.random.default_rng(1000 + seed)
    raw = generator.random((64, 64), np.float32) * 2 - 1
    padded = np.pad(raw, 4, mode="wrap")
    factor = TABLE_SIZE // 64
    large = cv2.resize(padded, None, fx=factor, fy=factor, interpolation=cv2.INTER_CUBIC)
    edge = 4 * factor
    table = np.ascontiguousarray(large[edge:-edge, edge:-edge], np.float32)
    table.setflags(write=False)
    return table


def _look_up(table: Floats, x: Floats, y: Floats) -> Floats:
    """The table's values between its points; OpenCV's remap takes places as a picture whose sides are limited."""
    count = x.size
    columns = min(1024, max(1, count))
    rows = -(-count // columns)
    maps = np.zeros((2, rows * columns), np.float32)
    maps[0, :count] = _wrapped(x).reshape(-1)
    maps[1, :count] = _wrapped(y).reshape(-1)
    result = np.empty((rows, columns), np.float32)
    step = 16384
    for start in range(0, rows, step):
        part = maps.reshape(2, rows, columns)[:, start : start + step]
        result[start : start + step] = cv2.remap(_with_rim(table), part[0], part[1], cv2.INTER_LINEAR)
    return np.asarray(result.reshape(-1)[:count], np.float32).reshape(x.shape)


def _wrapped(places: Floats) -> Floats:
    return np.asarray(places - np.floor(places * np.float32(1 / TABLE_SIZE)) * np.float32(TABLE_SIZE), np.float32)


def _with_rim(table: Floats) -> Floats:
    return np.pad(table, (0, 2), mode="wrap")

"""A hole in a picture filled from its surroundings, patch by patch, from coarse to fine.

The method is PatchMatch completion (Barnes 2009; Wexler 2007): each patch that touches the hole searches a similar
patch outside of it, first at random and then among its neighbours' matches; the matches then vote on every point.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from sixpence_studio.scene.noise import Floats
from sixpence_studio.scene.resizing import resized

Marked = NDArray[np.bool_]
Field = NDArray[np.int64]

REACH = 3  # a patch is 2 * REACH + 1 points wide
WORKING_SIDE = 210
APART_MAX = 4  # holes filled one by one; more are filled together


@dataclass(frozen=True)
class _Matches:
    """For each point of a grid: whether its patch touches the hole, the similar patch's middle, and how similar."""

    touching: Marked
    rows: Field
    columns: Field
    trust: Floats


def filled(values: Floats, hole: Marked, seed: int) -> Floats:
    """The picture (H, W, 3) with the hole filled; outside of it nothing changes."""
    count, labels = cv2.connectedComponents(hole.astype(np.uint8), connectivity=8)
    holes = [labels == number for number in range(1, count)] if count <= APART_MAX + 1 else [hole]
    result, open_still = values.copy(), hole.copy()
    for one in holes:
        top, bottom, left, right = _around(one)
        window = (slice(top, bottom), slice(left, right))
        side = WORKING_SIDE / max(1.0, len(holes) ** 0.5)
        complete = _completed(result[window], open_still[window], side, np.random.default_rng(seed))
        result[window][one[window]] = complete[one[window]]
        open_still &= ~one
    return result


def spread(values: Floats, known: Marked) -> Floats:
    """The known values, spread smoothly into the unknown ones (averaged down a pyramid and back up)."""
    weights = known.astype(np.float32)
    levels: list[tuple[Floats, Floats]] = [(values * weights[..., None], weights)]
    while min(levels[-1][1].shape) > 2 and levels[-1][1].min() < 1e-3:
        total, weight = levels[-1]
        size = ((weight.shape[1] + 1) // 2, (weight.shape[0] + 1) // 2)
        small = resized(weight, size, how=cv2.INTER_AREA)
        levels.append((resized(total, size, how=cv2.INTER_AREA), small))
    total, weight = levels[-1]
    guess: Floats = total / np.maximum(weight, 1e-6)[..., None]
    for total, weight in reversed(levels[:-1]):
        guess = resized(guess, (weight.shape[1], weight.shape[0]), how=cv2.INTER_LINEAR)
        share = np.clip(weight, 0, 1)[..., None]
        guess = total / np.maximum(weight, 1e-6)[..., None] * share + guess * (1 - share)
    return np.asarray(np.where(known[..., None], values, guess), np.float32)


def _around(hole: Marked) -> tuple[int, int, int, int]:
    rows, columns = np.nonzero(hole.any(axis=1))[0], np.nonzero(hole.any(axis=0))[0]
    margin = int(max(48, 0.8 * max(np.ptp(rows), np.ptp(columns))))
    return (max(0, int(rows[0]) - margin), min(hole.shape[0], int(rows[-1]) + margin + 1),
            max(0, int(columns[0]) - margin), min(hole.shape[1], int(columns[-1]) + margin + 1))  # fmt: skip


def _completed(part: Floats, gap: Marked, side: float, generator: np.random.Generator) -> Floats:
    height, width = gap.shape
    finest = min(1.0, side / max(height, width))
    scales = [finest * factor for factor in (0.25, 0.5, 1.0) if min(height, width) * finest * factor > 24]
    guess: Floats | None = None
    matches: _Matches | None = None
    small_gap = gap
    scales = scales or [finest]
    for scale in scales:
        size = (max(16, round(width * scale)), max(16, round(height * scale)))
        small_gap = resized(gap.astype(np.float32), size, how=cv2.INTER_AREA) > 0.01
        weight = np.repeat((~gap).astype(np.float32)[..., None], 3, axis=2)
        mean = resized(part * weight, size, how=cv2.INTER_AREA)
        share = resized(weight, size, how=cv2.INTER_AREA)
        small = np.asarray(mean / np.maximum(share, 1e-4), np.float32)
        start = _peeled(small, small_gap) if guess is None else resized(guess, size, how=cv2.INTER_LINEAR)
        guess = np.where(small_gap[..., None], start, small).astype(np.float32)
        matches = _resized(matches, small_gap) if matches is not None else None
        for _ in range(10 if scale == scales[0] else 3):
            matches = _matched(guess, small_gap, matches, generator)
            guess = _voted(guess, small_gap, matches, guess)
    assert guess is not None
    assert matches is not None
    return _carried_up(part, gap, matches, guess)


def _peeled(values: Floats, gap: Marked) -> Floats:
    """A first filling of a small picture: from the rim inwards, each point from where its surroundings fit."""
    side = 2 * REACH + 1
    result, known = spread(values, ~gap), ~gap
    allowed = np.nonzero(_allowed_and_touching(gap)[0])
    padding = (REACH,) * 4
    while not known.all():
        rim = (cv2.dilate(known.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0) & ~known
        y, x = np.nonzero(rim)
        patches = sliding_window_view(
            cv2.copyMakeBorder(result, *padding, cv2.BORDER_REFLECT_101), (side, side), (0, 1)
        )
        known_parts = sliding_window_view(
            cv2.copyMakeBorder(known.astype(np.float32), *padding, cv2.BORDER_CONSTANT), (side, side)
        )
        target, sources = patches[y, x].reshape(y.size, -1), patches[allowed].reshape(allowed[0].size, -1)
        weight = np.tile(known_parts[y, x].reshape(y.size, -1), (1, 3)) + np.float32(0.02)
        cost = (weight * target * target).sum(axis=1)[:, None] - 2 * (weight * target) @ sources.T
        cost += weight @ (sources * sources).T
        apart = np.hypot(y[:, None] - allowed[0][None], x[:, None] - allowed[1][None]) / max(gap.shape)
        best = np.argmin(cost / weight.sum(axis=1)[:, None] + np.float32(0.002) * apart, axis=1)
        result[y, x] = result[allowed[0][best], allowed[1][best]]
        known = known | rim
    return result


def _matched(values: Floats, gap: Marked, before: _Matches | None, generator: np.random.Generator) -> _Matches:
    """Better matches: neighbours' matches and random ones tried wherever a patch touches the hole."""
    height, width = gap.shape
    search = _Search(values, gap, before, generator)
    everywhere = np.ones(search.y.size, np.bool_)
    for turn in range(3):
        for dy, dx in ((0, 1), (0, -1), (1, 0), (-1, 0), (0, 5), (0, -5), (5, 0), (-5, 0)):
            grid_y, grid_x = search.grids()
            ny, nx = np.clip(search.y + dy, 0, height - 1), np.clip(search.x + dx, 0, width - 1)
            search.try_places(grid_y[ny, nx] - dy, grid_x[ny, nx] - dx, search.touching[ny, nx])
        for share in (1.0, 0.3, 0.08, 0.02):
            radius = max(1.0, share * max(height, width) / (turn + 1))
            jump = np.asarray((generator.random((2, search.y.size)) * 2 - 1) * radius, np.int64)
            search.try_places(search.from_y + jump[0], search.from_x + jump[1], everywhere)
    return search.matches()


class _Search:
    """The matches found so far for every patch that touches the hole, and how far off each is."""

    def __init__(self, values: Floats, gap: Marked, before: _Matches | None, generator: np.random.Generator) -> None:
        padded = cv2.copyMakeBorder(values, REACH, REACH, REACH, REACH, cv2.BORDER_REFLECT_101)
        window = (2 * REACH + 1, 2 * REACH + 1)
        self.patches: Floats = sliding_window_view(np.asarray(padded, np.float32), window, axis=(0, 1))
        self.allowed, self.touching = _allowed_and_touching(gap)
        self.y, self.x = (np.asarray(places, np.int64) for places in np.nonzero(self.touching))
        rows, columns = np.nonzero(self.allowed)
        pick = generator.integers(0, rows.size, self.y.size)
        self.from_y, self.from_x = rows[pick].astype(np.int64), columns[pick].astype(np.int64)
        if before is not None:
            known_y, known_x = before.rows[self.y, self.x], before.columns[self.y, self.x]
            usable = self.allowed[known_y, known_x]
            self.from_y[usable], self.from_x[usable] = known_y[usable], known_x[usable]
        self.target = self.patches[self.y, self.x].reshape(self.y.size, -1)
        self.cost = self._difference(self.target, self.from_y, self.from_x)

    def grids(self) -> tuple[Field, Field]:
        """The matches laid out over the picture."""
        grid_y, grid_x = np.zeros(self.touching.shape, np.int64), np.zeros(self.touching.shape, np.int64)
        grid_y[self.y, self.x], grid_x[self.y, self.x] = self.from_y, self.from_x
        return grid_y, grid_x

    def try_places(self, try_y: Field, try_x: Field, usable: Marked) -> None:
        """Use each place as the match if it is usable and better."""
        height, width = self.allowed.shape
        inside = usable & (try_y >= 0) & (try_y < height) & (try_x >= 0) & (try_x < width)
        index = np.nonzero(inside)[0]
        index = index[self.allowed[try_y[index], try_x[index]]]
        index = index[(try_y[index] != self.from_y[index]) | (try_x[index] != self.from_x[index])]
        if not index.size:
            return
        new = self._difference(self.target[index], try_y[index], try_x[index])
        better = new < self.cost[index]
        kept = index[better]
        self.cost[kept], self.from_y[kept], self.from_x[kept] = new[better], try_y[kept], try_x[kept]

    def matches(self) -> _Matches:
        """The matches found; better ones have more weight."""
        trust = np.zeros(self.touching.shape, np.float32)
        trust[self.y, self.x] = np.exp(-self.cost / max(1e-4, 0.5 * float(np.percentile(self.cost, 75)))) + 1e-3
        return _Matches(self.touching, *self.grids(), trust)

    def _difference(self, target: Floats, rows: Field, columns: Field) -> Floats:
        difference = target - self.patches[rows, columns].reshape(rows.size, -1)
        return np.asarray(np.einsum("ij,ij->i", difference, difference), np.float32)


def _voted(values: Floats, gap: Marked, matches: _Matches, source: Floats) -> Floats:
    """Each point of the hole as the mean of the patches over it."""
    height, width = gap.shape
    total, weights = np.zeros_like(values), np.zeros(gap.shape, np.float32)
    trust = matches.touching * matches.trust
    for dy in range(-REACH, REACH + 1):
        for dx in range(-REACH, REACH + 1):
            to_y, to_x = slice(max(0, dy), height + min(0, dy)), slice(max(0, dx), width + min(0, dx))
            by_y, by_x = slice(max(0, -dy), height + min(0, -dy)), slice(max(0, -dx), width + min(0, -dx))
            rows = np.clip(matches.rows[by_y, by_x] + dy, 0, height - 1)
            columns = np.clip(matches.columns[by_y, by_x] + dx, 0, width - 1)
            weight = trust[by_y, by_x] * np.float32(np.exp(-(dy * dy + dx * dx) / 6))
            total[to_y, to_x] += source[rows, columns] * weight[..., None]
            weights[to_y, to_x] += weight
    mean = total / np.maximum(weights, 1e-6)[..., None]
    return np.where(gap[..., None], mean, values).astype(np.float32)


def _carried_up(part: Floats, gap: Marked, matches: _Matches, guess: Floats) -> Floats:
    """The coarse matches at full size: the matched places, with the broad tones of the coarse filling."""
    height, width = gap.shape
    low_height, low_width = matches.touching.shape
    if (low_height, low_width) == (height, width):
        return guess
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    scale_y, scale_x = height / low_height, width / low_width
    row = np.clip(((y + 0.5) / scale_y).astype(np.int32), 0, low_height - 1)
    column = np.clip(((x + 0.5) / scale_x).astype(np.int32), 0, low_width - 1)
    from_y = y + (matches.rows[row, column] - row) * np.float32(scale_y)
    from_x = x + (matches.columns[row, column] - column) * np.float32(scale_x)
    from_y, from_x = from_y.astype(np.float32), from_x.astype(np.float32)
    fill = cv2.remap(spread(part, ~gap), from_x, from_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    broad = resized(guess, (width, height), how=cv2.INTER_CUBIC)
    reach = max(1.0, scale_x * 1.5)
    fill = fill + cv2.GaussianBlur(broad - fill, (0, 0), reach)
    ring = (cv2.dilate(gap.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0) & ~gap
    seam = spread(np.where(ring[..., None], part - fill, np.float32(0)).astype(np.float32), ring)
    return np.asarray(np.clip(fill + cv2.GaussianBlur(seam, (0, 0), 2), 0, 1), np.float32)


def _allowed_and_touching(gap: Marked) -> tuple[Marked, Marked]:
    touching = cv2.dilate(gap.astype(np.uint8), np.ones((2 * REACH + 1,) * 2, np.uint8)) > 0
    allowed = ~touching
    if not allowed.any():
        allowed = ~gap
    return allowed, touching


def _resized(matches: _Matches, gap: Marked) -> _Matches:
    """Matches of a coarser grid on this one."""
    height, width = gap.shape
    low_height, low_width = matches.touching.shape
    y, x = np.mgrid[0:height, 0:width]
    row, column = (
        np.minimum(y * low_height // height, low_height - 1),
        np.minimum(x * low_width // width, low_width - 1),
    )
    rows = matches.rows[row, column] * height // low_height + (y - row * height // low_height)
    columns = matches.columns[row, column] * width // low_width + (x - column * width // low_width)
    return _Matches(matches.touching, np.clip(rows, 0, height - 1).astype(np.int64),
                    np.clip(columns, 0, width - 1).astype(np.int64), matches.trust)  # fmt: skip

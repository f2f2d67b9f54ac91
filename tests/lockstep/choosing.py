"""Who chooses: Hypothesis, which makes failures small, or a random generator, which goes on for as long as told."""

import random
from collections.abc import Sequence
from typing import Protocol, TypeVar

from hypothesis import strategies as st

T = TypeVar("T")


class Choose(Protocol):
    """Takes one of the options."""

    def __call__(self, options: Sequence[T], /) -> T:
        """One of the options."""
        ...


class Drawn:
    """Choices that Hypothesis makes."""

    def __init__(self, data: st.DataObject) -> None:
        self._data = data

    def __call__(self, options: Sequence[T], /) -> T:
        """One of the options."""
        return self._data.draw(st.sampled_from(options))


class Rolled:
    """Choices by a random generator: the same ones for the same seed."""

    def __init__(self, seed: str) -> None:
        self._random = random.Random(seed)

    def __call__(self, options: Sequence[T], /) -> T:
        """One of the options."""
        return options[self._random.randrange(len(options))]

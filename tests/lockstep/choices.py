"""Sources of choices: Hypothesis, which shrinks failures, or a random generator, for runs of any length."""

import random
from collections.abc import Sequence
from typing import Protocol, TypeVar

from hypothesis import strategies as st

T = TypeVar("T")


class Choose(Protocol):
    """Chooses one of the options."""

    def __call__(self, options: Sequence[T], /) -> T:
        """One of the options."""
        ...


class HypothesisChoices:
    """Choices by Hypothesis."""

    def __init__(self, data: st.DataObject) -> None:
        self._data = data

    def __call__(self, options: Sequence[T], /) -> T:
        """One of the options."""
        return self._data.draw(st.sampled_from(options))


class RandomChoices:
    """Choices by a random generator; the same seed gives the same choices."""

    def __init__(self, seed: str) -> None:
        self._random = random.Random(seed)

    def __call__(self, options: Sequence[T], /) -> T:
        """One of the options."""
        return options[self._random.randrange(len(options))]

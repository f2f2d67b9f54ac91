"""The faults of a run, and their rates: drawn for each run, so that faults happen alone and together."""

from random import Random

import msgspec

MILLISECOND = 1_000

# The faults at a point of a batch, with their weights.
AT_POINTS = {"connection lost": 4, "deadlock": 3, "crash": 1}
# The faults at the COMMIT, with their weights.
AT_COMMIT = {
    "lost before commit": 2,
    "commit unknown, done": 3,
    "commit unknown, done later": 3,
    "commit unknown, undone later": 3,
    "crash while committing": 1,
}


class Faults(msgspec.Struct, frozen=True):
    """The probability of each fault: at a point of a batch, at a commit, for an answer, for a request."""

    at_point: float = 0.0
    at_commit: float = 0.0
    answer_lost: float = 0.0
    duplicated: float = 0.0
    abandoned: float = 0.0
    poisoned: float = 0.0
    outside: float = 0.0
    lingers_max: int = 100 * MILLISECOND


QUIET = Faults()


def draw_faults(random: Random) -> Faults:
    """Random fault rates."""

    def likely(*options: float) -> float:
        return random.choice(options)

    return Faults(
        at_point=likely(0.0, 0.002, 0.01, 0.03),
        at_commit=likely(0.0, 0.01, 0.05, 0.15),
        answer_lost=likely(0.0, 0.01, 0.05),
        duplicated=likely(0.0, 0.02, 0.1),
        abandoned=likely(0.0, 0.05, 0.2),
        poisoned=likely(0.0, 0.01, 0.04),
        outside=likely(0.0, 0.5, 1.0, 2.0),
        lingers_max=random.choice((5, 100, 2_000, 7_000, 20_000)) * MILLISECOND,
    )


def draw_kind(random: Random, kinds: dict[str, int]) -> str:
    """A random kind, by the weights."""
    return random.choices(list(kinds), list(kinds.values()))[0]

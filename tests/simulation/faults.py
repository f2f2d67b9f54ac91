"""Which faults a run meets, and how often: drawn anew for each run, so that some are met alone and some together."""

from random import Random

import msgspec

MILLISECOND = 1_000

# At a point of a batch, one of these; the number is the weight beside which it is drawn.
AT_POINTS = {"connection lost": 4, "deadlock": 3, "crash": 1}
# At the COMMIT itself.
AT_COMMIT = {
    "lost before commit": 2,
    "commit unknown, done": 3,
    "commit unknown, done later": 3,
    "commit unknown, undone later": 3,
    "crash while committing": 1,
}


class Faults(msgspec.Struct, frozen=True):
    """How likely each is: at a point of a batch, at a commit, for an answer, for a request."""

    at_point: float = 0.0
    at_commit: float = 0.0
    answer_lost: float = 0.0
    duplicated: float = 0.0
    abandoned: float = 0.0
    poisoned: float = 0.0
    weather: float = 0.0
    lingers_max: int = 100 * MILLISECOND


QUIET = Faults()


def draw_faults(random: Random) -> Faults:
    """Some of the faults, rare or frequent."""

    def likely(*options: float) -> float:
        return random.choice(options)

    return Faults(
        at_point=likely(0.0, 0.002, 0.01, 0.03),
        at_commit=likely(0.0, 0.01, 0.05, 0.15),
        answer_lost=likely(0.0, 0.01, 0.05),
        duplicated=likely(0.0, 0.02, 0.1),
        abandoned=likely(0.0, 0.05, 0.2),
        poisoned=likely(0.0, 0.01, 0.04),
        weather=likely(0.0, 0.5, 1.0, 2.0),
        lingers_max=random.choice((5, 100, 2_000, 7_000, 20_000)) * MILLISECOND,
    )


def draw_kind(random: Random, kinds: dict[str, int]) -> str:
    """One of the kinds, by their weights."""
    return random.choices(list(kinds), list(kinds.values()))[0]

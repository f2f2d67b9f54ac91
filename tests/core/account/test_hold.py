"""Holds: splitting held credits, and finding the next hold to time out."""

import tracemalloc

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from sixpence.core.account.hold import Hold, Holds, HoldTerms, split


def _hold(name: str, expires_at: int) -> Hold:
    return Hold(id=name, seq=1, terms=HoldTerms("sketch", expires_at, 1, 1), plan="free", parts=(("g", 1),))


def test_split_takes_the_first_credits_of_the_parts() -> None:
    """What is taken comes from the first parts; both lists keep their order."""
    parts = (("a", 3), ("b", 2))

    assert split(parts, 0) == ([], [("a", 3), ("b", 2)])
    assert split(parts, 4) == ([("a", 3), ("b", 1)], [("b", 1)])
    assert split(parts, 5) == ([("a", 3), ("b", 2)], [])
    assert split(parts, 9) == ([("a", 3), ("b", 2)], [])


def test_earliest_returns_none_without_an_open_hold() -> None:
    """Ended holds do not time out again."""
    ended = msgspec.structs.replace(_hold("h1", 5), state="captured", ended_at=3)

    assert Holds().earliest() is None
    assert Holds([ended]).earliest() is None


_NAMES = st.sampled_from("abcdef")
_STEPS = st.lists(st.tuples(_NAMES, st.integers(1, 5), st.sampled_from(("open", "released"))), max_size=30)


@given(_STEPS)
def test_earliest_is_the_first_open_hold_to_time_out(steps: list[tuple[str, int, str]]) -> None:
    """Placed, extended and ended in any order, also in a copy, it is the one that a search of all finds."""
    holds = Holds()
    for name, expires_at, state in steps:
        holds[name] = msgspec.structs.replace(_hold(name, expires_at), state=state)
        still_open = [hold for hold in holds.values() if hold.state == "open"]
        first = min(still_open, key=lambda hold: (hold.terms.expires_at, hold.id), default=None)

        assert holds.copy().earliest() == first
        assert holds.earliest() == first


def test_copy_is_independent() -> None:
    """A hold that ends in the one is still open in the other."""
    holds = Holds([_hold("h1", 5)])
    twin = holds.copy()

    twin["h1"] = msgspec.structs.replace(twin["h1"], state="expired", ended_at=5)

    assert (holds["h1"].state, twin.earliest(), holds.earliest()) == ("open", None, holds["h1"])


def test_queue_forgets_holds_that_are_gone() -> None:
    """Beside one that stays open for long, any number may come and go: the queue does not grow."""
    holds = Holds([_hold("the first", 1)])
    tracemalloc.start()
    for number in range(30_000):
        name = f"h{number}"
        holds[name] = _hold(name, 2 + number)
        assert holds.earliest() == holds["the first"]
        del holds[name]
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert kept < 100_000

"""`python -m tests.planted [NAME ...]`: plants each bug in a copy of the project and runs the tests that it names.

A bug is caught when a test fails. First all these tests run without any bug and have to pass, so that nothing else is
taken for a catch. What its own tests do not find, the whole suite is tried on. Ends with 1 if a bug survives.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue

from tests.planted.hunt import Hunt, hunt
from tests.planted.plant import Plant, read_plants
from tests.planted.tree import copied
from tests.planted.trial import Trial, run

SIDE_BY_SIDE = 2
_SECONDS_EACH = 25


def main() -> int:
    """Plant those that were asked for, or all."""
    parser = argparse.ArgumentParser(prog="python -m tests.planted", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="a bug, by its patch's name or the start of it")
    parser.add_argument("--list", action="store_true", help="only say which there are")
    asked = parser.parse_args()
    plants = [one for one in read_plants() if not asked.names or one.name.startswith(tuple(asked.names))]
    if not plants:
        parser.error(f"no bug is called {' or '.join(asked.names)}; --list says which there are")
    if asked.list:
        for plant in plants:
            print(f"{plant.name}: {plant.what}")
        return 0
    minutes = 2 + len(plants) * _SECONDS_EACH // SIDE_BY_SIDE // 60
    print(f"planting {len(plants)} bugs, {SIDE_BY_SIDE} at a time: about {minutes} minutes", flush=True)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="sixpence-planted-") as folder:
        grounds = _Grounds([copied(Path(folder) / f"copy {number}") for number in range(SIDE_BY_SIDE)])
        if not grounds.are_sound(plants):
            return 1
        print(f"the tests pass without a bug, after {time.monotonic() - began:.0f} s", flush=True)
        hunts = grounds.hunt(plants)
    survived = [one.plant.name for one in hunts if not one.caught]
    print(f"{time.monotonic() - began:.0f} s" + (f"; survived: {', '.join(survived)}" if survived else ""))
    print(f"caught {len(plants) - len(survived)} of {len(plants)}", flush=True)
    return 1 if survived else 0


class _Grounds:
    """The copies of the project, each used by one at a time."""

    def __init__(self, trees: Sequence[Path]) -> None:
        self._size = len(trees)
        self._free: SimpleQueue[Path] = SimpleQueue()
        for tree in trees:
            self._free.put(tree)

    def are_sound(self, plants: Sequence[Plant]) -> bool:
        """Whether the tests pass that the bugs name; what they say is told where they do not."""
        tests = sorted({test for plant in plants for test in plant.tests})
        shares = [tuple(tests[number :: self._size]) for number in range(self._size)]
        with ThreadPoolExecutor(self._size) as side_by_side:
            for trial in side_by_side.map(self._try, [share for share in shares if share]):
                if trial.outcome != "passed":
                    print(
                        f"{trial.said}\nthe tests fail without any bug ({trial.outcome}): mend that first", flush=True
                    )
                    return False
        return True

    def hunt(self, plants: Sequence[Plant]) -> list[Hunt]:
        """Look for each bug, and say of each at once what became of it."""
        with ThreadPoolExecutor(self._size) as side_by_side:
            return list(side_by_side.map(self._hunt, plants))

    def _try(self, tests: tuple[str, ...]) -> Trial:
        tree = self._free.get()
        try:
            return run(tree, tests, first=False)
        finally:
            self._free.put(tree)

    def _hunt(self, plant: Plant) -> Hunt:
        tree = self._free.get()
        try:
            found = hunt(plant, tree)
        finally:
            self._free.put(tree)
        print(found.told(), flush=True)
        return found


if __name__ == "__main__":
    sys.exit(main())

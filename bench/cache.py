"""What the bench keeps between its runs: a folder that may be removed at any time and is made anew."""

from pathlib import Path

CACHE = Path(__file__).parents[1] / ".bench"

"""The folder that the bench stores between runs; it may be removed at any time and is then created again."""

from pathlib import Path

CACHE = Path(__file__).parents[1] / ".bench"

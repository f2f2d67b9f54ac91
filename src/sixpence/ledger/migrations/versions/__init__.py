"""One file per step, applied in the order of their numbers. A released step never changes."""

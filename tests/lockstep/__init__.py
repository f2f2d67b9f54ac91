"""The lockstep: drawn commands and jumps of time, run side by side on the reference, the core and the databases."""

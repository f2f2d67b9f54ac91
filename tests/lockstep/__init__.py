"""The lockstep: random commands and times, run on the reference, the core and the databases at once, and compared."""

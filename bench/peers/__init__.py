"""Published packages for the same purpose, each run in its own environment as its README says.

A module named after a peer runs with the peer's Python: it imports the peer and the standard library, and nothing of
the bench but `loop`. The others run with ours. `make bench` needs none of them installed beforehand.
"""

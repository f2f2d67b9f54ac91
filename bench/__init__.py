"""Side-by-side measurements: `make bench`. See README.md in this folder."""

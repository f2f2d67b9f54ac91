"""Long runs that find what bounded tests miss: `python -m tests.torture`, or `make torture`."""

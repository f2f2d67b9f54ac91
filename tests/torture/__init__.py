"""Long runs that look for what bounded tests do not meet: `python -m tests.torture`, or `make torture`."""

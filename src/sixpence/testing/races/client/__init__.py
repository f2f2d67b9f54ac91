"""The clients of a race: calls, connections that can be cut, and attempts."""

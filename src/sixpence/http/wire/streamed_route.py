"""A route whose answer is sent in pieces."""

from starlette.routing import Route


class StreamedRoute(Route):
    """A route whose answer is sent in pieces: the fast path leaves it to the router."""

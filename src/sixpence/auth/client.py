"""The client of a request: its address and browser, recorded with a session and a sign-in.

Not here: which forwarded header to trust (`sixpence.http.callers.client_address`).
"""

from dataclasses import dataclass

USER_AGENT_LENGTH_MAX = 512


@dataclass(frozen=True, slots=True)
class Client:
    """An IP address and a user agent; each is None if unknown."""

    ip_address: str | None = None
    user_agent: str | None = None

    def __post_init__(self) -> None:
        # Anyone can send this header, so it must be storable and small.
        if self.user_agent is not None:
            printable = "".join(letter for letter in self.user_agent[:USER_AGENT_LENGTH_MAX] if letter.isprintable())
            object.__setattr__(self, "user_agent", printable)


UNKNOWN_CLIENT = Client()

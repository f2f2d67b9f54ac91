"""Where a request came from, as it is recorded with a session and a sign-in.

Not here: which forwarded header to believe (`sixpence.http.callers.client_address`).
"""

from dataclasses import dataclass

USER_AGENT_LENGTH_MAX = 512


@dataclass(frozen=True, slots=True)
class Client:
    """An address and the browser's description of itself, both None where they are not known."""

    ip_address: str | None = None
    user_agent: str | None = None

    def __post_init__(self) -> None:
        # What a stranger sends must be storable and stay small.
        if self.user_agent is not None:
            plain = "".join(letter for letter in self.user_agent[:USER_AGENT_LENGTH_MAX] if letter.isprintable())
            object.__setattr__(self, "user_agent", plain)


NOBODY = Client()

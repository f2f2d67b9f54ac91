"""The address of an app under test, from its URL."""

from urllib.parse import urlsplit

import msgspec

from sixpence.testing.races.errors import RaceError


class Address(msgspec.Struct, frozen=True):
    """The address of an app; `base` is the prefix of all its paths."""

    host: str
    port: int
    tls: bool = False
    base: str = ""

    def __str__(self) -> str:
        return f"{'https' if self.tls else 'http'}://{self.netloc}{self.base}"

    @property
    def netloc(self) -> str:
        """Host and port, as in a URL."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


def address_from_url(url: str) -> Address:
    """The address in a URL; raises `RaceError`."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise RaceError(f"{url!r} is no URL: {error}. Give one such as http://127.0.0.1:8000.") from None
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise RaceError(f"{url!r} is not the URL of an app. Give one such as http://127.0.0.1:8000.")
    tls = parts.scheme == "https"
    return Address(parts.hostname, port or (443 if tls else 80), tls, parts.path.rstrip("/"))

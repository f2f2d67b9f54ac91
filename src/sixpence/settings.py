"""Every setting, read once from the environment and handed down as a value.

A setting is `SIXPENCE_` and its name in capitals. What a flag of the command line says goes before the environment.
"""

import os
import secrets
from collections.abc import Mapping
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote, urlsplit

import msgspec

from sixpence.core.errors import InvalidInputError

SECRET_LENGTH_MIN = 32


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What an installation may choose. Sizes are in bytes, durations in seconds."""

    home: Path = Path(".sixpence")
    database_url: str = ""
    host: str = "127.0.0.1"
    port: int = 8000
    base_url: str = ""
    allowed_origins: tuple[str, ...] = ()
    trusted_proxies: tuple[str, ...] = ()
    secret: str = ""
    catalog: str = ""
    upgrade_url: str = "/upgrade"
    unsafe_durability: bool = False
    body_bytes_max: int = 2 * 1024 * 1024
    queue_size_max: int = 10_000
    batch_size_max: int = 500
    wait_seconds_max: float = 5.0
    # Given by `serve` to its own workers: what a local operator's command line shows at the door.
    local_operator_token: str = ""

    @classmethod
    def read(cls, environment: Mapping[str, str] | None = None, **chosen: Any) -> Self:
        """The settings of an environment (the process's own by default); `chosen` ones that are not None go first.

        Raises `InvalidInputError` naming the variable, its value and what it takes.
        """
        given = os.environ if environment is None else environment
        values: dict[str, Any] = {}
        for field in msgspec.structs.fields(cls):
            name = f"SIXPENCE_{field.name.upper()}"
            if chosen.get(field.name) is not None:
                values[field.name] = chosen[field.name]
            elif given.get(name, "") != "":
                values[field.name] = _converted(name, given[name], field.type)
        settings = cls(**values)
        for proxy in settings.trusted_proxies:
            _network(proxy)
        if settings.secret and len(settings.secret) < SECRET_LENGTH_MIN:
            problem = f"has {len(settings.secret)} characters. Set at least {SECRET_LENGTH_MIN} random ones."
            raise InvalidInputError("SIXPENCE_SECRET", problem)
        if settings.base_url and urlsplit(settings.base_url).scheme not in ("http", "https"):
            problem = f"{settings.base_url!r:.60} is not a web address. Send one like https://app.example.com."
            raise InvalidInputError("SIXPENCE_BASE_URL", problem)
        return settings

    @property
    def database(self) -> str:
        """The database's URL: by default a SQLite file in the home folder."""
        return self.database_url or f"sqlite:///{self.home / 'credits.db'}"

    @property
    def site(self) -> str:
        """Where browsers find this server: by default loopback on the served port."""
        return self.base_url or f"http://127.0.0.1:{self.port}"

    @property
    def origins(self) -> tuple[str, ...]:
        """The origins that may send changes with a cookie, beside the site's own."""
        loopback = () if self.base_url else (f"http://localhost:{self.port}", f"http://{quote(self.host)}:{self.port}")
        return (*loopback, *self.allowed_origins)

    @property
    def proxies(self) -> list[IPv4Network | IPv6Network]:
        """The networks whose forwarded headers count."""
        return [_network(proxy) for proxy in self.trusted_proxies]

    def cookie_secret(self) -> str:
        """The secret that signs cookies; one that nobody set is made once and kept in the home folder, mode 0600."""
        return self.secret or _kept_secret(self.home)


def _converted(name: str, text: str, kind: Any) -> Any:
    try:
        if kind is bool:
            return _yes_or_no(text)
        if kind == tuple[str, ...]:
            return tuple(part.strip() for part in text.split(",") if part.strip())
        return kind(text)
    except ValueError:
        wanted = {bool: "yes or no", int: "a whole number", float: "a number"}.get(kind, "text")
        raise InvalidInputError(name, f"{text!r:.60} is not {wanted}.") from None


def _yes_or_no(text: str) -> bool:
    answers = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}
    if text.lower() not in answers:
        raise ValueError(text)
    return answers[text.lower()]


def _network(text: str) -> IPv4Network | IPv6Network:
    try:
        return ip_network(text, strict=False)
    except ValueError:
        problem = f"{text!r:.60} is not an address or a network like 10.0.0.0/8."
        raise InvalidInputError("SIXPENCE_TRUSTED_PROXIES", problem) from None


def _kept_secret(home: Path) -> str:
    home.mkdir(parents=True, exist_ok=True)
    path = home / "secret"
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text().strip()
    with os.fdopen(descriptor, "w") as file:
        secret = secrets.token_urlsafe(48)
        file.write(secret)
    return secret

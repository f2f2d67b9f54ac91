"""Every setting, read once from the environment and passed on as a value.

A setting's variable is `SIXPENCE_` and its name in capitals. Options of the command line override the environment.
"""

import os
import secrets
from collections.abc import Mapping
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

import msgspec

from sixpence.core.errors import InvalidInputError
from sixpence.ledger.checkpoints.key_file import load_or_create_secret
from sixpence.ledger.checkpoints.signing import SigningKey, check_digits
from sixpence.ledger.database.engines import parse_database_url

SECRET_LENGTH_MIN = 32
_RANGES: Mapping[str, tuple[float, float]] = {
    "port": (0, 65_535),
    "body_bytes_max": (1_024, 2**30),
    "batch_bytes_max": (1_024, 2**30),
    "queue_size_max": (1, 10**7),
    "batch_size_max": (1, 10_000),
    "wait_seconds_max": (0.01, 3_600),
    "queue_seconds_max": (0.01, 3_600),
    "under_way_max": (1, 10**6),
    "batches_in_flight": (0, 16),
}


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """The settings of an installation. Sizes are in bytes, durations in seconds."""

    home: Path = Path(".sixpence")
    database_url: str = ""
    host: str = "127.0.0.1"
    port: int = 8000
    base_url: str = ""
    allowed_origins: tuple[str, ...] = ()
    trusted_proxies: tuple[str, ...] = ()
    secret: str = ""
    # 32 random bytes in hexadecimal digits. Without one, a key is made when something is first signed.
    signing_key: str = ""
    catalog: str = ""
    upgrade_url: str = "/upgrade"
    unsafe_durability: bool = False
    body_bytes_max: int = 2 * 1024 * 1024
    batch_bytes_max: int = 16 * 1024 * 1024
    queue_size_max: int = 10_000
    batch_size_max: int = 500
    wait_seconds_max: float = 5.0
    # A change that would wait longer than this for its batch is refused immediately.
    queue_seconds_max: float = 0.5
    # A change is also refused while this many run over HTTP: two full batches, and some that have just arrived.
    under_way_max: int = 1_200
    # On PostgreSQL, for each process. 0 is automatic: two, but one for each of several workers, which share the CPUs.
    batches_in_flight: int = 0
    # Whether a server also runs the relay, which counts usage by day from the outbox.
    relay: bool = True
    # Set by `serve` for its own workers: the token by which a local operator's command line is authorized.
    local_operator_token: str = ""

    @classmethod
    def read(cls, environment: Mapping[str, str] | None = None, **chosen: Any) -> Self:
        """Reads the settings of an environment (by default the process's); `chosen` values override it unless None.

        Raises `InvalidInputError` with the variable, its value and what it accepts.
        """
        variables = os.environ if environment is None else environment
        values: dict[str, Any] = {}
        for field in msgspec.structs.fields(cls):
            name = f"SIXPENCE_{field.name.upper()}"
            if chosen.get(field.name) is not None:
                values[field.name] = chosen[field.name]
            elif variables.get(name, "") != "":
                values[field.name] = _from_text(name, variables[name], field.type)
        settings = cls(**values)
        settings._check()
        return settings

    def environment(self) -> dict[str, str]:
        """The variables from which another process reads the same settings."""
        return {
            f"SIXPENCE_{field.name.upper()}": _to_text(getattr(self, field.name))
            for field in msgspec.structs.fields(self)
        }

    @property
    def database(self) -> str:
        """The database's URL: by default a SQLite file in the home folder."""
        return self.database_url or f"sqlite:///{self.home / 'credits.db'}"

    @property
    def site(self) -> str:
        """The URL of this server for browsers: by default loopback on its port."""
        return self.base_url or f"http://127.0.0.1:{self.port}"

    @property
    def origins(self) -> tuple[str, ...]:
        """The origins that may send changes with a cookie, in addition to the site's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        loopback = () if self.base_url else (f"http://localhost:{self.port}", f"http://{host}:{self.port}")
        return (*loopback, *self.allowed_origins)

    @property
    def proxies(self) -> list[IPv4Network | IPv6Network]:
        """The networks whose forwarded headers are trusted."""
        return [_network(proxy) for proxy in self.trusted_proxies]

    def cookie_secret(self) -> str:
        """The secret that signs cookies. Without one, one is made and stored in the home folder, mode 0600."""
        return self.secret or _stored_secret(self.home)

    def checkpoint_key(self) -> SigningKey:
        """The key that signs checkpoints. Without one, one is made and stored in the home folder, mode 0600."""
        return SigningKey(self.signing_key) if self.signing_key else SigningKey.kept(self.home / "signing_key")

    def _check(self) -> None:
        for name, (least, most) in _RANGES.items():
            value = getattr(self, name)
            if not least <= value <= most:
                problem = f"{value} is out of range. Set a number from {least} to {most}."
                raise InvalidInputError(f"SIXPENCE_{name.upper()}", problem)
        for proxy in self.trusted_proxies:
            _network(proxy)
        for url in self.allowed_origins:
            _check_site("SIXPENCE_ALLOWED_ORIGINS", url)
        if self.base_url:
            _check_site("SIXPENCE_BASE_URL", self.base_url)
        if self.database_url:
            _check_database(self.database_url)
        if self.signing_key:
            _check_signing_key(self.signing_key)
        if self.secret and len(self.secret) < SECRET_LENGTH_MIN:
            problem = f"has {len(self.secret)} characters. Set at least {SECRET_LENGTH_MIN} random ones."
            raise InvalidInputError("SIXPENCE_SECRET", problem)


def _from_text(name: str, text: str, kind: Any) -> Any:
    try:
        if kind is bool:
            return _yes_or_no(text)
        if kind == tuple[str, ...]:
            return tuple(part.strip() for part in text.split(",") if part.strip())
        return kind(text)
    except ValueError:
        wanted = {bool: "yes or no", int: "a whole number", float: "a number"}.get(kind, "text")
        raise InvalidInputError(name, f"{text!r:.60} is not {wanted}.") from None


def _to_text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ",".join(value) if isinstance(value, tuple) else str(value)


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


def _check_site(name: str, url: str) -> None:
    try:
        parts = urlsplit(url)
        is_valid = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is not a number, half a bracket
        is_valid = False
    if not is_valid:
        raise InvalidInputError(name, f"{url!r:.60} is not a web address. Set one like https://app.example.com.")


def _check_database(url: str) -> None:
    try:
        parse_database_url(url)
    except InvalidInputError as error:
        raise InvalidInputError("SIXPENCE_DATABASE_URL", error.problem) from None


def _check_signing_key(digits: str) -> None:
    try:
        check_digits(digits)
    except InvalidInputError as error:
        raise InvalidInputError("SIXPENCE_SIGNING_KEY", error.problem) from None


def _stored_secret(home: Path) -> str:
    path = home / "secret"
    secret = load_or_create_secret(path, secrets.token_urlsafe(48))
    if len(secret) < SECRET_LENGTH_MIN:
        problem = f"is not set, and '{path}' has fewer than {SECRET_LENGTH_MIN} characters. Remove the file."
        raise InvalidInputError("SIXPENCE_SECRET", problem)
    return secret

"""Settings: every variable, invalid values, and the stored secret."""

import os
import re
import stat
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_network
from pathlib import Path

import msgspec
import pytest

from sixpence.core.errors import InvalidInputError
from sixpence.ledger.checkpoints.signing import SigningKey
from sixpence.settings import Settings

VARIABLES = {
    "SIXPENCE_HOME": "data/credits",
    "SIXPENCE_DATABASE_URL": "postgresql://app@db.example.com/credits",
    "SIXPENCE_HOST": "0.0.0.0",
    "SIXPENCE_PORT": "9000",
    "SIXPENCE_BASE_URL": "https://credits.example.com",
    "SIXPENCE_ALLOWED_ORIGINS": "https://app.example.com, https://shop.example.com:8443/ ,",
    "SIXPENCE_TRUSTED_PROXIES": "10.0.0.0/8, ::1",
    "SIXPENCE_SECRET": "s" * 32,
    "SIXPENCE_SIGNING_KEY": "ab" * 32,
    "SIXPENCE_CATALOG": "prices.toml",
    "SIXPENCE_UPGRADE_URL": "https://app.example.com/upgrade",
    "SIXPENCE_UNSAFE_DURABILITY": "Yes",
    "SIXPENCE_BODY_BYTES_MAX": "65536",
    "SIXPENCE_BATCH_BYTES_MAX": "1048576",
    "SIXPENCE_QUEUE_SIZE_MAX": "100",
    "SIXPENCE_BATCH_SIZE_MAX": "50",
    "SIXPENCE_WAIT_SECONDS_MAX": "2.5",
    "SIXPENCE_QUEUE_SECONDS_MAX": "0.25",
    "SIXPENCE_UNDER_WAY_MAX": "300",
    "SIXPENCE_BATCHES_IN_FLIGHT": "3",
    "SIXPENCE_RELAY": "no",
    "SIXPENCE_LOCAL_OPERATOR_TOKEN": "a token",
}
READ = Settings(
    home=Path("data/credits"),
    database_url="postgresql://app@db.example.com/credits",
    host="0.0.0.0",
    port=9000,
    base_url="https://credits.example.com",
    allowed_origins=("https://app.example.com", "https://shop.example.com:8443/"),
    trusted_proxies=("10.0.0.0/8", "::1"),
    secret="s" * 32,
    signing_key="ab" * 32,
    catalog="prices.toml",
    upgrade_url="https://app.example.com/upgrade",
    unsafe_durability=True,
    body_bytes_max=65_536,
    batch_bytes_max=1_048_576,
    queue_size_max=100,
    batch_size_max=50,
    wait_seconds_max=2.5,
    queue_seconds_max=0.25,
    under_way_max=300,
    batches_in_flight=3,
    relay=False,
    local_operator_token="a token",
)

INVALID = [
    ("SIXPENCE_PORT", "eighty", "'eighty' is not a whole number."),
    ("SIXPENCE_PORT", "80.5", "'80.5' is not a whole number."),
    ("SIXPENCE_PORT", "65536", "65536 is out of range. Set a number from 0 to 65535."),
    ("SIXPENCE_PORT", "-1", "-1 is out of range. Set a number from 0 to 65535."),
    ("SIXPENCE_BODY_BYTES_MAX", "2 MB", "'2 MB' is not a whole number."),
    ("SIXPENCE_BODY_BYTES_MAX", "0", "0 is out of range. Set a number from 1024 to 1073741824."),
    ("SIXPENCE_BATCH_BYTES_MAX", "1023", "1023 is out of range. Set a number from 1024 to 1073741824."),
    ("SIXPENCE_QUEUE_SIZE_MAX", "0", "0 is out of range. Set a number from 1 to 10000000."),
    ("SIXPENCE_BATCH_SIZE_MAX", "-5", "-5 is out of range. Set a number from 1 to 10000."),
    ("SIXPENCE_WAIT_SECONDS_MAX", "soon", "'soon' is not a number."),
    ("SIXPENCE_WAIT_SECONDS_MAX", "nan", "nan is out of range. Set a number from 0.01 to 3600."),
    ("SIXPENCE_WAIT_SECONDS_MAX", "inf", "inf is out of range. Set a number from 0.01 to 3600."),
    ("SIXPENCE_UNSAFE_DURABILITY", "maybe", "'maybe' is not yes or no."),
    (
        "SIXPENCE_BASE_URL",
        "credits.example.com",
        "'credits.example.com' is not a web address. Set one like https://app.example.com.",
    ),
    ("SIXPENCE_BASE_URL", "https://", "'https://' is not a web address. Set one like https://app.example.com."),
    (
        "SIXPENCE_BASE_URL",
        "ftp://app.example.com",
        "'ftp://app.example.com' is not a web address. Set one like https://app.example.com.",
    ),
    ("SIXPENCE_ALLOWED_ORIGINS", "*", "'*' is not a web address. Set one like https://app.example.com."),
    (
        "SIXPENCE_ALLOWED_ORIGINS",
        "https://app.example.com,https://b.example.com:port",
        "'https://b.example.com:port' is not a web address. Set one like https://app.example.com.",
    ),
    (
        "SIXPENCE_TRUSTED_PROXIES",
        "10.0.0.0/8,proxy.example.com",
        "'proxy.example.com' is not an address or a network like 10.0.0.0/8.",
    ),
    ("SIXPENCE_SECRET", "short", "has 5 characters. Set at least 32 random ones."),
    (
        "SIXPENCE_SIGNING_KEY",
        "AB" * 32,
        "is not 64 hexadecimal digits in lower case. "
        "Give 64 random hexadecimal digits, such as those of: openssl rand -hex 32.",
    ),
    (
        "SIXPENCE_DATABASE_URL",
        "mysql://app@db.example.com/credits",
        "'mysql' is neither sqlite nor postgresql. "
        "Send one like sqlite:///credits.db or postgresql://user@host/database.",
    ),
    (
        "SIXPENCE_DATABASE_URL",
        "credits.db",
        "is not a database URL. Send one like sqlite:///credits.db or postgresql://user@host/database.",
    ),
]


def test_every_setting_is_read_from_its_variable() -> None:
    """Each variable sets its setting, and this test has a variable for each setting."""
    names = {f"SIXPENCE_{field.name.upper()}" for field in msgspec.structs.fields(Settings)}

    assert set(VARIABLES) == names
    assert Settings.read(VARIABLES) == READ


def test_defaults() -> None:
    """Without variables, or with empty ones, the defaults apply."""
    assert Settings.read({}) == Settings.read(dict.fromkeys(VARIABLES, "")) == Settings()


def test_options_override_environment() -> None:
    """An option that was given is used; the others come from the environment."""
    settings = Settings.read(VARIABLES, port=7000, host=None)

    assert (settings.port, settings.host) == (7000, "0.0.0.0")


@pytest.mark.parametrize(("name", "value", "problem"), INVALID)
def test_invalid_value_is_refused_with_its_variable(name: str, value: str, problem: str) -> None:
    """An invalid value is refused with the variable's name, the value and what to set."""
    with pytest.raises(InvalidInputError) as refused:
        Settings.read({name: value})

    assert refused.value == InvalidInputError(name, problem)


def test_environment_round_trips() -> None:
    """Settings written as variables are read as the same settings."""
    assert Settings.read(READ.environment()) == READ
    assert Settings.read(Settings().environment()) == Settings()


@pytest.mark.parametrize(
    ("variables", "site", "origins"),
    [
        ({}, "http://127.0.0.1:8000", ("http://localhost:8000", "http://127.0.0.1:8000")),
        (
            {"SIXPENCE_HOST": "::1", "SIXPENCE_PORT": "81"},
            "http://127.0.0.1:81",
            ("http://localhost:81", "http://[::1]:81"),
        ),
        ({"SIXPENCE_BASE_URL": "https://c.example.com"}, "https://c.example.com", ()),
        (
            {"SIXPENCE_BASE_URL": "https://c.example.com", "SIXPENCE_ALLOWED_ORIGINS": "https://a.example.com"},
            "https://c.example.com",
            ("https://a.example.com",),
        ),
    ],
)
def test_site_and_origins(variables: dict[str, str], site: str, origins: tuple[str, ...]) -> None:
    """On loopback the site has both its names; with a base URL it has that URL and the allowed origins."""
    settings = Settings.read(variables)

    assert (settings.site, settings.origins) == (site, origins)


def test_default_database_url() -> None:
    """Without a URL the database is a SQLite file in the home folder."""
    assert Settings.read({"SIXPENCE_HOME": "my data"}).database == "sqlite:///my data/credits.db"


def test_proxies_are_networks() -> None:
    """An address is a network of one, and a network may have host bits."""
    settings = Settings.read({"SIXPENCE_TRUSTED_PROXIES": "10.1.2.3/8,192.0.2.1"})

    assert settings.proxies == [ip_network("10.0.0.0/8"), ip_network("192.0.2.1/32")]


def test_set_secret_is_used(tmp_path: Path) -> None:
    """With a secret of its own an installation writes none."""
    assert Settings(home=tmp_path / "home", secret="s" * 32).cookie_secret() == "s" * 32
    assert not (tmp_path / "home").exists()


def test_missing_secret_is_made_once_and_stored(tmp_path: Path) -> None:
    """The made secret is random, readable by its owner only, and the same at every start."""
    settings = Settings(home=tmp_path / "home")

    first = settings.cookie_secret()

    stored = tmp_path / "home" / "secret"
    assert (len(first), stored.read_text()) == (64, first)
    assert stat.S_IMODE(os.stat(stored).st_mode) == 0o600
    assert Settings(home=tmp_path / "home").cookie_secret() == first
    assert Settings(home=tmp_path / "other").cookie_secret() != first
    assert os.listdir(tmp_path / "home") == ["secret"]


def test_concurrent_starts_share_secret(tmp_path: Path) -> None:
    """The first process makes the secret, and no process reads a part of it."""
    with ThreadPoolExecutor(16) as threads:
        secrets = list(threads.map(lambda _: Settings(home=tmp_path).cookie_secret(), range(64)))

    assert len(set(secrets)) == 1
    assert os.listdir(tmp_path) == ["secret"]


def test_empty_secret_file_is_refused(tmp_path: Path) -> None:
    """A file that lost its content does not become an empty secret."""
    (tmp_path / "secret").write_text("")

    with pytest.raises(InvalidInputError) as refused:
        Settings(home=tmp_path).cookie_secret()

    problem = f"is not set, and '{tmp_path / 'secret'}' has fewer than 32 characters. Remove the file."
    assert refused.value == InvalidInputError("SIXPENCE_SECRET", problem)


def test_set_signing_key_is_used_and_missing_one_is_made(tmp_path: Path) -> None:
    """With a signing key of its own an installation makes none; otherwise it makes one and stores it."""
    set_key = Settings(home=tmp_path, signing_key="ab" * 32).checkpoint_key()
    assert os.listdir(tmp_path) == []

    stored = Settings(home=tmp_path).checkpoint_key()

    assert set_key.public_key == SigningKey("ab" * 32).public_key
    assert (os.listdir(tmp_path), Settings(home=tmp_path).checkpoint_key().public_key) == (
        ["signing_key"],
        stored.public_key,
    )


def test_every_setting_is_documented() -> None:
    """The page on settings has each variable, and no unknown one."""
    page = (Path(__file__).parents[1] / "docs" / "settings.md").read_text()

    documented = set(re.findall(r"`(SIXPENCE_[A-Z_]+)`", page))

    assert documented == {f"SIXPENCE_{field.name.upper()}" for field in msgspec.structs.fields(Settings)}

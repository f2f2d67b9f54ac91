"""The base install: SQLite needs only Python, msgspec and SQLAlchemy."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# Every other installed package is hidden; SQLAlchemy itself needs typing_extensions and greenlet.
PROGRAM = """
import sys

NEEDED = {"sixpence", "msgspec", "sqlalchemy", "typing_extensions", "greenlet"}


class OnlyNeededPackages:
    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        if not (top in NEEDED or top in sys.stdlib_module_names or top.startswith("_sysconfigdata")):
            raise ModuleNotFoundError(f"{name} is hidden", name=name)


sys.meta_path.insert(0, OnlyNeededPackages())
from sixpence import CreditService, InsufficientCreditsError, SyncCreditService
from sixpence.ledger.database.engines import parse_database_url, reading_engine
from sixpence.ledger.verify.verify import verify

with SyncCreditService(sys.argv[1]) as service:
    service.initialize_user_credits("ada@example.com", metadata={"a": 1}, idempotency_key="k")
    service.grant_credits("ada@example.com", 1)
    service.update_subscription_status("ada@example.com", "pro")
    service.consume_credit("ada@example.com", "video")
    service.validate_credit_usage("ada@example.com", "video")
    history = service.get_credit_history("ada@example.com")
    print(len(history.transactions), service.get_user_credits("ada@example.com").version)
with reading_engine(parse_database_url(sys.argv[1])).connect() as connection:
    print(verify(connection).clean)
"""


def test_sqlite_needs_no_other_package(sqlite_url: str) -> None:
    """With every other package hidden, all operations and verify work."""
    ended = subprocess.run([sys.executable, "-c", PROGRAM, sqlite_url], capture_output=True, text=True)

    assert (ended.stderr, ended.stdout.splitlines()[:2]) == ("", ["4 4", "True"])


def test_postgresql_without_driver_names_extra() -> None:
    """Without the driver the error names the extra to install."""
    program = PROGRAM.partition("with SyncCreditService")[0] + (
        "from sixpence import DatabaseSetupError\n"
        "try:\n"
        "    SyncCreditService('postgresql://nobody@127.0.0.1:1/x').get_user_credits('ada')\n"
        "except DatabaseSetupError as error:\n"
        "    print(error)\n"
    ).replace("\\\n", "\n")

    ended = subprocess.run([sys.executable, "-c", program, "unused"], capture_output=True, text=True)

    assert (ended.stderr, ended.stdout) == ("", "PostgreSQL needs psycopg. Install sixpence[postgres].\n")


@pytest.mark.parametrize("opened", [(), ("starlette",)], ids=["plain", "with-starlette"])
@pytest.mark.parametrize(
    ("module", "package"),
    [
        ("sixpence.integrations", "sixpence.integrations"),
        ("sixpence.integrations.starlette", "sixpence.integrations"),
        ("sixpence.wiring", "sixpence.http"),
        ("sixpence.http.app", "sixpence.http"),
        ("sixpence.auth.users", "sixpence.auth"),
    ],
)
def test_plain_install_names_missing_extra(module: str, package: str, opened: tuple[str, ...]) -> None:
    """With a plain install, or beside an app's own Starlette, the import names what is missing and the extra."""
    hidden = PROGRAM.partition("from sixpence import")[0].replace(
        '"greenlet"', ", ".join(['"greenlet"', *map(repr, opened)])
    )
    program = hidden + f"try:\n    import {module}\nexcept ImportError as error:\n    print(error)\n"

    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)

    lacking = ", ".join(name for name in ("starlette", "structlog", "pwdlib", "argon2") if name not in opened)
    problem = f"{package} needs {lacking}, which a plain install of Sixpence lacks."
    assert (ended.stderr, ended.stdout) == ("", f"{problem} Install sixpence[server].\n")


def test_base_install_has_two_dependencies() -> None:
    """The package depends on msgspec and SQLAlchemy only."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

    assert sorted(name.partition(">")[0] for name in project["dependencies"]) == ["msgspec", "sqlalchemy"]

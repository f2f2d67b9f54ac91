"""An installation over an existing ledger: `create_app` for tests, without a file or a server.

Needs the `server` extra; the client of `site_client` needs httpx, as Starlette's does. Not here: how the parts of an
installation are put together (`sixpence.wiring`).
"""

from collections.abc import Iterator
from contextlib import contextmanager

from starlette.applications import Starlette
from starlette.testclient import TestClient

from sixpence.ledger.ledger import Ledger
from sixpence.settings import Settings
from sixpence.wiring import Sixpence, wire

_OPERATOR_TOKEN = "the operator of this test"
_SETTINGS = Settings(
    # Signs the cookies. Without it a key file in a home folder would be created.
    secret="a secret that only tests of this process know",
    local_operator_token=_OPERATOR_TOKEN,
    # Nothing changes between two reads; a test counts usage by `sixpence.Relay(ledger).run_once()`.
    relay=False,
)


def parts_over(ledger: Ledger) -> Sixpence:
    """The parts of an installation over this ledger; `sixpence.wiring.app_of` creates its application."""
    return wire(_SETTINGS, ledger)


@contextmanager
def site_client(app: Starlette) -> Iterator[TestClient]:
    """A client of a running app, which sends a new API key and the site's origin."""
    with TestClient(app, base_url=_SETTINGS.site, headers={"origin": _SETTINGS.site}) as client:
        operator = {"authorization": f"Bearer {_OPERATOR_TOKEN}"}
        created = client.post("/api/admin/keys", json={"name": "a test"}, headers=operator)
        client.headers["authorization"] = f"Bearer {created.raise_for_status().json()['key']}"
        yield client

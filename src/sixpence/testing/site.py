"""A whole installation over a ledger that is there already: `create_app` for tests, without a file or a server.

Not here: how the parts of an installation go together (`sixpence.wiring`). Needs the `server` extra, and the client of
`site_client` httpx, as Starlette's own does.
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
    # Cookies are signed with it, and nothing is kept in a home folder.
    secret="a secret that only tests of this process know",
    local_operator_token=_OPERATOR_TOKEN,
    # Nothing changes by itself between two looks; `sixpence.Relay(ledger).run_once()` counts usage when a test wants.
    relay=False,
)


def parts_over(ledger: Ledger) -> Sixpence:
    """The parts of an installation over this ledger; `sixpence.wiring.app_of` makes an application of them."""
    return wire(_SETTINGS, ledger)


@contextmanager
def site_client(app: Starlette) -> Iterator[TestClient]:
    """A server's client of a running app: it shows an API key of its own, and is on a page of the site."""
    with TestClient(app, base_url=_SETTINGS.site, headers={"origin": _SETTINGS.site}) as client:
        operator = {"authorization": f"Bearer {_OPERATOR_TOKEN}"}
        made = client.post("/api/admin/keys", json={"name": "a test"}, headers=operator)
        client.headers["authorization"] = f"Bearer {made.raise_for_status().json()['key']}"
        yield client

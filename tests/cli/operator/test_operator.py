"""The endpoints that the commands use are open to operators only."""

from contextlib import closing

import httpx

from tests.support.server import ServerProcess

ENDPOINTS = (
    ("GET", "/api/admin/keys"),
    ("POST", "/api/admin/keys"),
    ("POST", "/api/admin/keys/revoke"),
    ("GET", "/api/admin/catalog"),
    ("POST", "/api/admin/catalog"),
    ("POST", "/api/admin/catalog/diff"),
    ("POST", "/api/admin/users"),
    ("POST", "/api/admin/accounts/show"),
    ("POST", "/api/admin/credits/grant"),
)


def caller(server: ServerProcess, headers: dict[str, str] | None = None, *, email: str = "") -> httpx.Client:
    """A client that sends these headers, or that is signed in as the user of this e-mail."""
    client = httpx.Client(base_url=server.url, headers={"Origin": server.url, **(headers or {})})
    if email:
        client.post("/api/auth/sign-in/email", json={"email": email, "password": "correct horse"})
    return client


def list_statuses(client: httpx.Client) -> set[int]:
    """The statuses that the endpoints answer to this caller."""
    with closing(client):
        return {client.request(method, path, content=b"{}").status_code for method, path in ENDPOINTS}


def test_only_operators_may_administer(server: ServerProcess) -> None:
    """Callers without credentials, API keys and customers are refused; a signed-in operator is not."""
    key = server.create_key()
    for email, options in (("ada@example.com", ()), ("grace@example.com", ("--operator",))):
        server.run("user", "create", "--email", email, "--password", "correct horse", *options)

    with_key = {"Authorization": f"Bearer {key}"}
    answers = {
        "nobody": list_statuses(caller(server)),
        "API key": list_statuses(caller(server, with_key)),
        "customer": list_statuses(caller(server, email="ada@example.com")),
        "operator": list_statuses(caller(server, email="grace@example.com")),
    }

    # The body is empty, so an authorized operator gets 422.
    assert answers == {"nobody": {401}, "API key": {401}, "customer": {403}, "operator": {200, 422}}

"""The endpoints that the commands ask are closed to everybody but operators."""

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


def statuses(client: httpx.Client) -> set[int]:
    """What the endpoints answer to this caller."""
    with closing(client):
        return {client.request(method, path, content=b"{}").status_code for method, path in ENDPOINTS}


def test_who_may_administer(server: ServerProcess) -> None:
    """Nobody, a server's API key and a customer are refused; an operator who is signed in is not."""
    key = server.create_key()
    for email, options in (("ada@example.com", ()), ("grace@example.com", ("--operator",))):
        server.run("user", "create", "--email", email, "--password", "correct horse", *options)

    with_key = {"Authorization": f"Bearer {key}"}
    answers = {
        "nobody": statuses(caller(server)),
        "API key": statuses(caller(server, with_key)),
        "customer": statuses(caller(server, email="ada@example.com")),
        "operator": statuses(caller(server, email="grace@example.com")),
    }

    # An empty body is an operator's own mistake: 422.
    assert answers == {"nobody": {401}, "API key": {401}, "customer": {403}, "operator": {200, 422}}

"""The page's files, the catalog, and the demo checkout."""

import re

import pytest

from sixpence_studio.generators import GENERATORS
from sixpence_studio.rooms import ROOMS
from tests.studio.served import Customer, StudioServer

CSP = "default-src 'self'; img-src 'self' blob: data:; "


def test_page_policy_allows_own_files_only(studio: StudioServer) -> None:
    """The page comes with a policy that allows its own files alone, no sniffing and no referrer."""
    answer = studio.client().get("/")

    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert answer.headers["content-security-policy"].startswith(CSP)
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"


def test_every_file_that_the_page_names_is_served(studio: StudioServer) -> None:
    """Every file that the page, its sheets and its scripts name is served with its media type."""
    client = studio.client()
    index = client.get("/").text
    named = {f"/{name}" for name in re.findall(r'(?:href|src)="([\w/.-]+\.\w+)"', index)}
    for script in sorted(named & {"/js/studio.js"}):
        named |= {f"/js/{name}" for name in re.findall(r'from "\./([\w-]+\.js)"', client.get(script).text)}

    kinds = {name: client.get(name).headers["content-type"].partition(";")[0] for name in sorted(named)}

    wanted = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml", "woff2": "font/woff2"}
    assert kinds == {name: wanted[name.rpartition(".")[2]] for name in named}
    assert len(kinds) > 15


def test_an_unchanged_file_is_not_sent_again(studio: StudioServer) -> None:
    """A browser that has a file gets a 304 without a body."""
    client = studio.client()
    tag = client.get("/studio.css").headers["etag"]

    same = client.get("/studio.css", headers={"if-none-match": f'"other", W/{tag}'})
    other = client.get("/studio.css", headers={"if-none-match": '"other"'})

    assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", tag)
    assert other.status_code == 200


@pytest.mark.parametrize(
    "path", ["/README.md", "/../app.py", "/%2e%2e/app.py", "/js/../../app.py", "/js", "/css/", "//etc/passwd"]
)
def test_no_other_file_is_served(studio: StudioServer, path: str) -> None:
    """Only the page's own files have addresses."""
    answer = studio.client().get(studio.url + path)

    assert (answer.status_code, answer.json()["code"]) == (404, "not-found")


def test_catalog_lists_features_and_rooms(studio: StudioServer) -> None:
    """The catalog has the six features with price and options, and the sample rooms."""
    client = studio.client()

    offered = client.get("/studio/catalog").json()

    features = {feature["name"]: feature for feature in offered["features"]}
    assert list(features) == list(GENERATORS)
    assert {feature["credits"] for feature in features.values()} == {1}
    assert [name for name, feature in features.items() if feature["takes_area"]] == ["remove"]
    for name, generator in GENERATORS.items():
        assert (features[name]["title"], features[name]["description"]) == (generator.title, generator.description)
        for option in features[name]["options"]:
            assert set(option) == {"name", "label", "default", "choices"}
            assert option["default"] in [choice["value"] for choice in option["choices"]]
    assert [(room["name"], room["title"], room["kind"]) for room in offered["rooms"]] == [
        (room.name, room.title, room.kind) for room in ROOMS
    ]
    pictures = [client.get(room["url"]) for room in offered["rooms"]]
    assert [picture.content for picture in pictures] == [room.path.read_bytes() for room in ROOMS]


def test_checkout_changes_the_plan(customer: Customer) -> None:
    """Each change answers with the balance, and the history gives the demo checkout as its reason."""
    bought = customer.client.post("/studio/checkout", json={"plan": "pro"}).json()
    left = customer.client.post("/studio/checkout", json={"plan": "free"}).json()

    history = customer.client.get("/api/user/credits/history?kind=plan_change").json()["transactions"]
    assert (bought["subscription_status"], bought["unlimited"], bought["remaining"]) == ("pro", True, 6)
    assert (left["subscription_status"], left["unlimited"], left["remaining"]) == ("free", False, 6)
    assert [(row["reason"], row["actor"]) for row in history] == [("demo checkout", None)] * 2


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b'{"plan": "gold"}', 422, "unknown-plan"),
        (b'{"plan": 1}', 422, "invalid-input"),
        (b'{"plan": "pro", "price": 0}', 422, "invalid-input"),
        (b"{}", 422, "invalid-input"),
        (b"[]", 422, "invalid-input"),
        (b"", 400, "bad-request"),
        (b"{", 400, "bad-request"),
        (b'{"plan": "\xff"}', 400, "bad-request"),
        (b'{"plan": "' + b"x" * 5000 + b'"}', 413, "body-too-large"),
    ],
)
def test_invalid_checkout_is_refused(customer: Customer, body: bytes, status: int, code: str) -> None:
    """An unknown plan or an invalid body is refused, and the plan does not change."""
    answer = customer.client.post("/studio/checkout", content=body)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert customer.client.get("/api/user/credits").json()["subscription_status"] == "free"


def test_checkout_needs_a_session(studio: StudioServer) -> None:
    """Without a session the checkout is refused with a 401."""
    answer = studio.client().post("/studio/checkout", json={"plan": "pro"})

    assert (answer.status_code, answer.json()["code"]) == (401, "not-signed-in")

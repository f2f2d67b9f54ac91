"""Invalid orders: each refusal names the field, and nothing changes."""

import json
import uuid
from typing import Any

import httpx
import pytest

from sixpence_studio.generators.picture import BYTES_MAX
from tests.studio.served import ROOM, Customer, StudioServer

PROBLEM = "application/problem+json"
LONG = "x" * 70_000
# A constant, so that a test has the same name in every process.
AN_ID = "5b1c3a52-3a0e-4f5b-9c07-6a2f8d1e4b77"


@pytest.mark.parametrize(
    "generation_id",
    ["", "1", "../../etc/passwd", "..", "%2e%2e%2f", "a/b", "a\\b", "C:", "\x00", "é" * 36, AN_ID.upper(),
     f"{AN_ID}/../x", f"{AN_ID}\n", "x" * 10_000],
)  # fmt: skip
def test_generation_id_must_be_a_uuid(customer: Customer, generation_id: str) -> None:
    """Anything but a UUID in lower case is refused, paths among them."""
    answer = customer.client.post(
        "/studio/generations",
        files={"generation_id": (None, generation_id), "feature": (None, "sketch"), "picture": ("a.jpg", ROOM)},
    )

    assert (answer.status_code, answer.json()["field"]) == (422, "generation_id")


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("picture", {"picture": None}),
        ("room", {"picture": None, "room": "cellar"}),
        ("room", {"picture": None, "room": "../house"}),
        ("room", {"room": "house"}),
        ("options", {"options": "{"}),
        ("options", {"options": "[]"}),
        ("options", {"options": '{"technique": true}'}),
        ("options", {"options": "[" * 60_000}),
        ("options.technique", {"options": '{"technique": "crayon"}'}),
        ("options.colour", {"options": '{"colour": "red"}'}),
        ("options.area", {"feature": "remove", "options": '{"area": "0 0 1 1"}', "area": "[[0.1, 0.1, 0.1, 0.1]]"}),
        ("area", {"area": "[[0.1, 0.1, 0.1, 0.1]]"}),
        ("area", {"feature": "remove"}),
        ("area", {"feature": "remove", "area": "[]"}),
        ("area", {"feature": "remove", "area": "[[0.1, 0.1]]"}),
        ("area", {"feature": "remove", "area": "[[0, 0, 0, 0]]"}),
        ("area", {"feature": "remove", "area": "[[0, 0, 1, 1]]"}),
        ("area", {"feature": "remove", "area": "[[0, 0, 2, 1]]"}),
        ("area", {"feature": "remove", "area": "[[-0.1, 0, 0.5, 0.5]]"}),
        ("area", {"feature": "remove", "area": "[[1e999, 0, 0.5, 0.5]]"}),
        ("area", {"feature": "remove", "area": "[[NaN, 0, 0.5, 0.5]]"}),
        ("area", {"feature": "remove", "area": json.dumps([[0.1, 0.1, 0.1, 0.1]] * 51)}),
        ("colour", {"colour": "red"}),
    ],
)
def test_invalid_field_is_named(customer: Customer, field: str, changes: dict[str, Any]) -> None:
    """The problem's `field` is the invalid one, and nothing is charged or stored."""
    answer = customer.order(**changes)

    assert (answer.status_code, answer.headers["content-type"]) == (422, PROBLEM)
    assert (answer.json()["code"], answer.json()["field"]) == ("invalid-input", field)
    assert (customer.remaining, customer.uses, customer.gallery) == (6, [], [])


def test_unknown_feature_is_refused_with_the_known_ones(customer: Customer) -> None:
    """The refusal lists the features."""
    answer = customer.order(feature="cook")

    assert (answer.status_code, answer.json()["code"]) == (422, "unknown-feature")
    assert answer.json()["known"] == ["interior", "exterior", "sketch", "furnish", "remove", "video"]


@pytest.mark.parametrize(
    ("form", "field"),
    [
        ([("feature", ("f.txt", b"sketch"))], "feature"),
        ([("picture", (None, "text"))], "picture"),
        ([("feature", (None, "sketch")), ("feature", (None, "video"))], "feature"),
        ([("generation_id", (None, str(uuid.uuid4())))], "feature"),
    ],
    ids=["text as a file", "a file as text", "twice", "missing"],
)
def test_form_fields_are_strict(customer: Customer, form: list[tuple[str, Any]], field: str) -> None:
    """Each field must be sent once, and as text or file."""
    answer = customer.client.post("/studio/generations", files=form)

    assert (answer.status_code, answer.json()["field"]) == (422, field)


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"{}", "application/json", 415),
        (b"feature=sketch", "application/x-www-form-urlencoded", 415),
        (b"", "", 415),
        (b"", "multipart/form-data", 400),
        (b"nonsense", "multipart/form-data; boundary=b", 400),
        (b"--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--\r\n", "multipart/form-data; boundary=b", 400),
    ],
)
def test_body_that_is_not_a_form_is_refused(customer: Customer, body: bytes, kind: str, status: int) -> None:
    """A body that is not a valid multipart form gets a 4xx problem."""
    answer = customer.client.post("/studio/generations", content=body, headers={"content-type": kind})

    assert (answer.status_code, answer.headers["content-type"]) == (status, PROBLEM)
    assert customer.remaining == 6


@pytest.mark.parametrize(
    "form",
    [[("options", (None, LONG))], [("picture", ("a", ROOM))] * 2, [("a", (None, "b"))] * 9],
    ids=["a long text", "two files", "nine fields"],
)
def test_form_parts_are_limited(customer: Customer, form: list[tuple[str, Any]]) -> None:
    """A text of more than 64 kB, a second file and too many fields are refused."""
    answer = customer.client.post("/studio/generations", files=form)

    assert (answer.status_code, answer.headers["content-type"]) == (400, PROBLEM)


def test_picture_over_ten_megabytes_is_refused(customer: Customer) -> None:
    """Ten megabytes and a byte are refused with the field `picture`."""
    answer = customer.order(picture=bytes(BYTES_MAX + 1))

    assert (answer.status_code, answer.json()["field"]) == (422, "picture")
    assert customer.remaining == 6


@pytest.mark.parametrize("announced", [True, False], ids=["with its length", "in chunks"])
def test_body_over_the_limit_is_refused(customer: Customer, announced: bool) -> None:
    """A body of twenty megabytes is refused before or while it is read."""
    head = b'--b\r\nContent-Disposition: form-data; name="picture"; filename="a"\r\n\r\n'
    body = head + bytes(20 * 2**20)
    content: Any = body if announced else iter([body[at : at + 2**16] for at in range(0, len(body), 2**16)])

    try:
        answer = customer.client.post(
            "/studio/generations", content=content, headers={"content-type": "multipart/form-data; boundary=b"}
        )
    except httpx.WriteError:
        # The server answered and closed the connection while the client was still sending.
        answer = None

    assert answer is None or (answer.status_code, answer.json()["code"]) == (413, "body-too-large")
    assert customer.remaining == 6


def test_caller_is_checked_before_the_form(studio: StudioServer, customer: Customer) -> None:
    """A form is not read without a session, or from another site's page."""
    nobody = studio.client().post("/studio/generations", content=b"nonsense")
    foreign = customer.client.post(
        "/studio/generations", content=b"nonsense", headers={"origin": "https://other.example.com"}
    )

    assert (nobody.status_code, nobody.json()["code"]) == (401, "not-signed-in")
    assert (foreign.status_code, foreign.json()["code"]) == (403, "forbidden")


def test_refusals_are_not_logged_as_failures(studio: StudioServer, customer: Customer) -> None:
    """A refusal is an answer to the client, not a failure of the server."""
    customer.order(picture=b"hello")
    customer.order(options="{")
    customer.order(feature="remove", area="[[0, 0, 1, 1]]")

    assert "Traceback" not in studio.log

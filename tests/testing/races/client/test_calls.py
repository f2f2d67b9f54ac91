"""Calls as bytes: valid requests, and refused ones."""

import pytest

from sixpence.testing.races import Call, RaceError
from sixpence.testing.races.client.address import Address, address_from_url
from sixpence.testing.races.client.calls import encode_request, to_keyed_call

pytestmark = pytest.mark.slow

HERE = Address("127.0.0.1", 8000)


def test_encode_request_with_json() -> None:
    """Host, length and type are added, and the connection ends with the request."""
    call = Call("POST", "/pictures?size=2", json={"prompt": "a room"}, headers={"X-User": "ada"})

    sent = encode_request(call, HERE)

    assert sent == (
        b"POST /pictures?size=2 HTTP/1.1\r\nHost: 127.0.0.1:8000\r\nConnection: close\r\nContent-Length: 20\r\n"
        b'Content-Type: application/json\r\nX-User: ada\r\n\r\n{"prompt": "a room"}'
    )


def test_encode_request_prefers_given_headers() -> None:
    """In any case of their names."""
    call = Call("POST", "/", body=b"a=1", headers={"host": "app.example.com"})

    lines = encode_request(call, HERE).split(b"\r\n")

    assert lines == [
        b"POST / HTTP/1.1",
        b"Connection: close",
        b"Content-Length: 3",
        b"host: app.example.com",
        b"",
        b"a=1",
    ]


def test_encode_request_prepends_path_of_url() -> None:
    """For an app below a prefix."""
    sent = encode_request(Call("GET", "/x"), address_from_url("https://app.example.com/api/"))

    assert sent.startswith(b"GET /api/x HTTP/1.1\r\nHost: app.example.com:443\r\n")


def test_to_keyed_call_with_call_and_function() -> None:
    """A constant call gets a header; a function gets the key."""
    call = Call("POST", "/", headers={"X-User": "ada"})

    def event(key: str) -> Call:
        return Call("POST", "/hook", json={"id": key})

    assert to_keyed_call(call)("k1").headers == {"X-User": "ada", "Idempotency-Key": "k1"}
    assert to_keyed_call(event)("k1") == Call("POST", "/hook", json={"id": "k1"})


@pytest.mark.parametrize(
    "call",
    [
        Call("POST", "generate"),
        Call("POST", "/a b"),
        Call("POST", "/", headers={"X-User": "ada\r\nX-Admin: yes"}),
        Call("POST", "/", headers={"X-User": "zoë"}),
    ],
)
def test_encode_request_refuses_invalid_head(call: Call) -> None:
    """Otherwise the app would be blamed for an invalid request."""
    with pytest.raises(RaceError):
        encode_request(call, HERE)


@pytest.mark.parametrize("value", ["Bearer spk_secret\r", "Bearer spk_secret\n", "Bearer spk_secret\u2603"])
def test_encode_request_hides_value_of_refused_header(value: str) -> None:
    """The value may be a key, and the message is printed."""
    call = Call("POST", "/", headers={"Authorization": value})

    with pytest.raises(RaceError) as refused:
        encode_request(call, HERE)

    assert str(refused.value) == (
        "The header 'Authorization' is not plain ASCII on one line. Percent-encode or remove the other characters."
    )

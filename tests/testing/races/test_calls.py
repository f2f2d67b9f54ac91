"""Calls as bytes: what goes over the wire, and what cannot."""

import pytest

from sixpence.testing.races import Call, RaceError
from sixpence.testing.races.calls import Place, bytes_of, keyed, place_at

HERE = Place("127.0.0.1", 8000)


def test_a_json_call_is_one_whole_request() -> None:
    """Host, length and type are added, and the connection is the request's own."""
    call = Call("POST", "/pictures?size=2", json={"prompt": "a room"}, headers={"X-User": "ada"})

    sent = bytes_of(call, HERE)

    assert sent == (
        b"POST /pictures?size=2 HTTP/1.1\r\nHost: 127.0.0.1:8000\r\nConnection: close\r\nContent-Length: 20\r\n"
        b'Content-Type: application/json\r\nX-User: ada\r\n\r\n{"prompt": "a room"}'
    )


def test_headers_that_are_given_take_the_place_of_ones_own() -> None:
    """Whatever their case."""
    call = Call("POST", "/", body=b"a=1", headers={"host": "app.example.com"})

    lines = bytes_of(call, HERE).split(b"\r\n")

    assert lines == [
        b"POST / HTTP/1.1",
        b"Connection: close",
        b"Content-Length: 3",
        b"host: app.example.com",
        b"",
        b"a=1",
    ]


def test_a_url_with_a_path_puts_it_before_every_call() -> None:
    """An app that is mounted below a prefix."""
    sent = bytes_of(Call("GET", "/x"), place_at("https://app.example.com/api/"))

    assert sent.startswith(b"GET /api/x HTTP/1.1\r\nHost: app.example.com:443\r\n")


def test_a_call_carries_its_key_as_a_header_and_a_function_makes_its_own() -> None:
    """Both are the same to a race: a call for each key."""
    call = Call("POST", "/", headers={"X-User": "ada"})

    def event(key: str) -> Call:
        return Call("POST", "/hook", json={"id": key})

    assert keyed(call)("k1").headers == {"X-User": "ada", "Idempotency-Key": "k1"}
    assert keyed(event)("k1") == Call("POST", "/hook", json={"id": "k1"})


@pytest.mark.parametrize(
    "call",
    [
        Call("POST", "generate"),
        Call("POST", "/a b"),
        Call("POST", "/", headers={"X-User": "ada\r\nX-Admin: yes"}),
        Call("POST", "/", headers={"X-User": "zoë"}),
    ],
)
def test_what_would_break_the_request_is_refused(call: Call) -> None:
    """A head that is none would be blamed on the app."""
    with pytest.raises(RaceError):
        bytes_of(call, HERE)


@pytest.mark.parametrize("value", ["Bearer spk_secret\r", "Bearer spk_secret\n", "Bearer spk_secret\u2603"])
def test_a_header_that_is_refused_is_named_without_its_value(value: str) -> None:
    """What it says may be a key, and what is refused is printed."""
    call = Call("POST", "/", headers={"Authorization": value})

    with pytest.raises(RaceError) as refused:
        bytes_of(call, HERE)

    assert str(refused.value) == (
        "The header 'Authorization' is not plain ASCII on one line. Percent-encode it or take that out."
    )

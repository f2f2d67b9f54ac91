"""Metadata as canonical text, refused metadata, and the fingerprint of a request."""

import hashlib
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sixpence.core.errors import InvalidInputError
from sixpence.core.values.metadata import (
    METADATA_BYTES_MAX,
    METADATA_DEPTH_MAX,
    canonical,
    digest,
    fingerprint,
    from_wire,
)

_text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=8)
_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | _text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_text, inner, max_size=3),
    max_leaves=8,
)


def _nested(levels: int) -> dict[str, Any]:
    value: Any = 1
    for _ in range(levels - 1):
        value = [value]
    return {"a": value}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, None),
        ({}, "{}"),
        ({"b": 1, "a": 2}, '{"b":1,"a":2}'),
        ({"a": [1, 2.50, -0.0, 1e100, True, None]}, '{"a":[1,2.5,-0.0,1e+100,true,null]}'),
        ({"straße": "🏡 \u2028"}, '{"straße":"🏡 \u2028"}'),
        ({"a": 2**70}, '{"a":1180591620717411303424}'),
        ({"path": "C:\\u0000", "tab": "\t\x7f"}, '{"path":"C:\\\\u0000","tab":"\\t\x7f"}'),
        ({2: "a", None: "b", True: "c"}, '{"2":"a","null":"b","true":"c"}'),
        ({"": ""}, '{"":""}'),
    ],
)
def test_canonical_text(value: dict[str, Any] | None, text: str | None) -> None:
    """No space, names in the order they were sent, numbers as Python writes them, text as it is."""
    assert canonical(value) == text


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.dictionaries(_text, _json, max_size=4))
def test_canonical_text_decodes_to_the_same_object(value: dict[str, Any]) -> None:
    """Text read again is the same object in the same order, and its canonical text is the same."""
    text = canonical(value)

    assert text is not None
    again = from_wire(text.encode())
    assert again == value
    assert list(again) == list(value)
    assert canonical(again) == text


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ([], "list is not an object. Send a JSON object."),
        ("{}", "str is not an object. Send a JSON object."),
        ({1: "a", "1": "b"}, "has the name '1' twice. Send each name once."),
        ({"a": {2: 0, "2": 0}}, "has the name '2' twice. Send each name once."),
        ({"a": "\x00"}, "has a NUL or a lone surrogate. Remove it."),
        ({"\x00": 1}, "has a NUL or a lone surrogate. Remove it."),
        ({"a": "\\\x00"}, "has a NUL or a lone surrogate. Remove it."),
        ({"a": "\ud800"}, "has a NUL or a lone surrogate. Remove it."),
        ({"b": "\udfff"}, "has a NUL or a lone surrogate. Remove it."),
        ({"\ud83d\ude00": 1}, "has a NUL or a lone surrogate. Remove it."),
        ({"a": "é" * 8_189}, "has 16386 bytes. Send at most 16384."),
    ],
)
def test_canonical_refuses_unstorable_metadata(value: Any, problem: str) -> None:
    """Values that some database cannot store, and objects with two meanings, are refused."""
    with pytest.raises(InvalidInputError) as caught:
        canonical(value)

    assert caught.value == InvalidInputError("metadata", problem)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), b"x", {1, 2}, {(1, 2): 3}, 10**5000, object()], ids=type)
def test_canonical_refuses_values_outside_json(value: object) -> None:
    """NaN, bytes, sets and other objects are not JSON."""
    with pytest.raises(InvalidInputError, match=r"^metadata: cannot be written as JSON \(.*\)\. Send plain JSON"):
        canonical({"a": value})


def test_canonical_refuses_an_object_that_contains_itself() -> None:
    """A circle is not JSON."""
    value: dict[str, Any] = {}
    value["a"] = value

    with pytest.raises(InvalidInputError, match="cannot be written as JSON"):
        canonical(value)


def test_canonical_counts_the_size_in_bytes() -> None:
    """16,384 bytes are accepted, one more is not."""
    fits = {"a": "x" * (METADATA_BYTES_MAX - 8)}

    assert len(canonical(fits) or "") == METADATA_BYTES_MAX
    with pytest.raises(InvalidInputError, match="has 16385 bytes"):
        canonical({"a": fits["a"] + "x"})


def test_canonical_bounds_the_nesting() -> None:
    """64 levels are accepted, one more is not, and brackets inside of text are not levels."""
    brackets = {"a": '[{"\\' * 100}

    assert canonical(_nested(METADATA_DEPTH_MAX)) is not None
    assert canonical(brackets) is not None
    for levels in (METADATA_DEPTH_MAX + 1, 300, 100_000):
        with pytest.raises(InvalidInputError, match=r"^metadata: (is nested too deep|cannot be written as JSON)"):
            canonical(_nested(levels))


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        (b"null", None),
        (b" {} ", {}),
        (b'{"b": 1, "a": 1e2}', {"b": 1, "a": 100.0}),
        (b'{"a": "\\ud83c\\udfe1"}', {"a": "🏡"}),
    ],
)
def test_from_wire_reads_an_object_or_null(raw: bytes, value: dict[str, Any] | None) -> None:
    """A JSON object, or None for null."""
    assert from_wire(raw) == value


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        (b'{"a":1,"a":1}', r"has the name 'a' twice"),
        (b'{"x":[{"b":1,"c":2,"b":3}]}', r"has the name 'b' twice"),
        (b'{"a":1,"\\u0061":2}', r"has the name 'a' twice"),
        (b'{"a":NaN}', r"NaN is not JSON. Send a finite number"),
        (b'{"a":-Infinity}', r"-Infinity is not JSON"),
        (b"[]", r"is a JSON list. Send a JSON object"),
        (b"7", r"is a JSON int. Send a JSON object"),
        (b"", r"is not valid JSON"),
        (b"{", r"is not valid JSON"),
        (b'{"a":1}x', r"is not valid JSON"),
        (b'{"a":"\xff"}', r"is not valid JSON"),
        (b'{"a":' + b"9" * 5000 + b"}", r"is not valid JSON"),
        (b'{"a":' + b"[" * 20_000 + b"]" * 20_000 + b"}", r"is not valid JSON"),
        (b'{"a":"' + b"x" * 70_000 + b'"}', r"has 70008 bytes. Send at most 16384"),
    ],
)
def test_from_wire_refuses_other_json(raw: bytes, problem: str) -> None:
    """Every message names the field and what is wrong with it."""
    with pytest.raises(InvalidInputError, match=f"^metadata: {problem}"):
        from_wire(raw)


@pytest.mark.parametrize("raw", [b'{"a":"\\u0000"}', b'{"a":"\\ud800"}', b'{"a":1e400}'])
def test_canonical_refuses_unstorable_json_from_the_wire(raw: bytes) -> None:
    """A NUL, a lone surrogate, an infinite number: decoded, then refused."""
    with pytest.raises(InvalidInputError, match=r"^metadata: "):
        canonical(from_wire(raw))


def test_digest_is_sha256_of_the_text() -> None:
    """SHA-256 of the canonical text's UTF-8; None for None."""
    assert digest(None) is None
    assert digest('{"a":"é"}') == hashlib.sha256('{"a":"é"}'.encode()).digest()


def test_fingerprint_is_pinned() -> None:
    """Every later release must compute the same fingerprint for a stored key."""
    fields = {"amount": 5, "features": ["video"], "metadata": {"b": "é", "a": [1, 2.5, None]}}

    made = fingerprint("grant", "ada@example.com", fields)

    sent = '["grant","ada@example.com",{"amount":5,"features":["video"],"metadata":{"a":[1,2.5,null],"b":"é"}}]'
    assert made == hashlib.sha256(sent.encode()).digest()
    assert made.hex() == "65a1170ef7c0650d04bafb5d5713d294fd44c51953b405c98fc0504244725b90"


def test_fingerprint_ignores_the_order_of_fields() -> None:
    """The same fields in another order, or names that JSON writes alike, are the same request."""
    one = fingerprint("grant", "a", {"amount": 5, "metadata": {"x": 1, "y": {"b": 1, "a": 2}}})

    assert fingerprint("grant", "a", {"metadata": {"y": {"a": 2, "b": 1}, "x": 1}, "amount": 5}) == one
    assert fingerprint("g", "a", {"metadata": {1: 2, "b": 3}}) == fingerprint("g", "a", {"metadata": {"b": 3, "1": 2}})


def test_fingerprint_differs_for_another_request() -> None:
    """Operation, account, absent or empty, null, the type of a number, the order of a list: each makes a difference."""
    asked: list[tuple[str, str, dict[str, Any]]] = [
        ("grant", "a", {}),
        ("consume", "a", {}),
        ("grant", "b", {}),
        *(("grant", "a", {"amount": amount}) for amount in (1, 2, "1", 1.5, True, None)),
        ("grant", "a", {"metadata": {}}),
        ("grant", "a", {"metadata": None}),
        ("grant", "a", {"features": ["a", "b"]}),
        ("grant", "a", {"features": ["b", "a"]}),
    ]

    assert len({fingerprint(*request) for request in asked}) == len(asked)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.dictionaries(_text, _json, max_size=4))
def test_fingerprint_accepts_all_canonical_metadata(value: dict[str, Any]) -> None:
    """Any accepted metadata has a fingerprint, the same after a trip as JSON."""
    again = json.loads(json.dumps(value))

    assert fingerprint("consume", "a", {"metadata": value}) == fingerprint("consume", "a", {"metadata": again})

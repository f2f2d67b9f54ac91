"""Random bodies, queries and ids: never a 500, and a refused request never changes anything."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sixpence.http.commands.grants import Adjust, EnsureAccount, Grant
from sixpence.http.commands.holds import PlaceHold
from tests.http.installation import Installation, open_account, open_installation
from tests.ledger.databases import snapshot, verify_clean

pytestmark = pytest.mark.slow

TARGET = "/v1/accounts/target"
PATHS = ["/v1/accounts", *(f"{TARGET}/{rest}" for rest in ("consume", "grants", "holds", "adjust", "estimate"))]
FUZZ = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    # The same cases on every machine. To search further, run it by hand with more examples.
    derandomize=True,
)

# Every kind of character, lone surrogates included.
words = st.text(st.characters(exclude_categories=()), max_size=40)
numbers = st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False)
values = st.recursive(
    st.none() | st.booleans() | numbers | words,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(words, inner, max_size=4),
    max_leaves=12,
)
fields = [field.name for shape in (EnsureAccount, Grant, PlaceHold, Adjust) for field in msgspec.structs.fields(shape)]
names = st.sampled_from(fields)
plausible = (
    values
    | st.sampled_from(["video", "sketch", "promo", "target", "2999-01-01T00:00:00Z", "2001-01-01T00:00:00Z", "", "\0"])
    | st.sampled_from([1, 6, 0, -1, 2**53 - 1, 2**53, 2**63, 2**64])
)
objects = st.dictionaries(names | words, plausible, max_size=6)
valid_objects = st.fixed_dictionaries(
    {},
    optional={
        "account_id": st.just("target"),
        "feature": st.sampled_from(["video", "sketch"]),
        "amount": st.integers(1, 100),
        "reason": st.just("a gift"),
        "metadata": st.dictionaries(words, values, max_size=3),
    },
)
queries = st.dictionaries(
    st.sampled_from(["limit", "cursor", "feature", "kind", "since", "until"]) | words,
    words | st.sampled_from(["1", "200", "2026-01-31T09:30:00Z", "video"]),
    max_size=4,
)


@pytest.fixture(scope="module")
async def installation(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Installation]:
    """An installation over a SQLite file for this module."""
    home = tmp_path_factory.mktemp("home")
    url = f"sqlite:///{home / 'credits.db'}"
    async with open_installation(url, home) as opened:
        yield opened
    verify_clean(url)


@pytest.fixture(scope="module")
async def shop(installation: Installation) -> httpx.AsyncClient:
    """A server with one account."""
    client = await installation.server()
    await open_account(client, "target")
    return client


@FUZZ
@given(path=st.sampled_from(PATHS), body=st.binary(max_size=200))
async def test_random_bytes_are_refused(
    installation: Installation, shop: httpx.AsyncClient, path: str, body: bytes
) -> None:
    """Bytes that are not a JSON object are refused, and change nothing."""
    before = snapshot(installation.url)

    answer = await shop.post(path, content=body)

    assert (answer.status_code, answer.json()["status"]) in ((400, 400), (422, 422))
    assert snapshot(installation.url) == before


@FUZZ
@given(path=st.sampled_from(PATHS), body=objects | valid_objects, key=st.none() | st.sampled_from(["a", "b"]))
async def test_random_objects_are_served_or_refused(
    installation: Installation, shop: httpx.AsyncClient, path: str, body: dict[str, Any], key: str | None
) -> None:
    """An object is served, or refused with a code; a refused request changes nothing."""
    before = snapshot(installation.url)

    answer = await shop.post(path, content=json.dumps(body), headers={} if key is None else {"Idempotency-Key": key})

    result = answer.json()
    assert answer.status_code in (200, 201, 402, 409, 422), result
    assert answer.status_code < 400 or (result["status"], bool(result["code"])) == (
        answer.status_code,
        True,
    )
    assert answer.status_code < 400 or snapshot(installation.url) == before


@FUZZ
@given(query=queries)
async def test_random_queries_are_answered_or_refused(shop: httpx.AsyncClient, query: dict[str, str]) -> None:
    """A query is answered with a page, or refused as invalid."""
    text = "&".join(f"{percent_encode(name)}={percent_encode(value)}" for name, value in query.items())

    answer = await shop.get(f"{TARGET}/transactions?{text}")

    assert answer.status_code in (200, 422), answer.text


@FUZZ
@given(account_id=st.binary(min_size=1, max_size=300), rest=st.sampled_from(["", "/transactions", "/consume"]))
async def test_random_ids_are_unknown_or_invalid(
    installation: Installation, shop: httpx.AsyncClient, account_id: bytes, rest: str
) -> None:
    """A random id in a path is an unknown account, or refused as invalid."""
    before = snapshot(installation.url)
    path = "/v1/accounts/" + "".join(f"%{byte:02X}" for byte in account_id) + rest

    answer = await shop.request("POST" if rest == "/consume" else "GET", path, content=b'{"feature": "video"}')

    assert (answer.status_code, answer.json()["code"]) in ((404, "account-not-found"), (422, "invalid-input"))
    assert snapshot(installation.url) == before


def percent_encode(text: str) -> str:
    """Percent-encode every byte of a text, lone surrogates included."""
    return "".join(f"%{byte:02X}" for byte in text.encode("utf-8", "surrogatepass"))

"""API keys: shown once, stored as a hash, refused as soon as they are revoked."""

import pytest

from sixpence.auth.api_keys import ApiKey, ApiKeys
from sixpence.auth.errors import ApiKeyNotFoundError
from sixpence.core.errors import InvalidInputError
from tests.auth.sign_in_setup import NOON, SettableClock, SqlDatabase


async def test_create_key_and_find_it(api_keys: ApiKeys) -> None:
    """A new key begins with sixpence_, has 40 random characters, and is found by its text."""
    made = await api_keys.create_key(name="the shop", created_by="grace@example.com")

    prefix, _, rest = made.text.partition("_")
    assert (prefix, len(rest), rest.isalnum()) == ("sixpence", 40, True)
    assert made.key == ApiKey(made.key.id, "the shop", made.text[:13], "grace@example.com", NOON, None)
    assert await api_keys.find_key(made.text) == made.key


async def test_key_is_stored_as_hash(api_keys: ApiKeys, database: SqlDatabase) -> None:
    """The table has the hint and a hash, never the text; the record does not show the text."""
    made = await api_keys.create_key(name="the shop", created_by="the command line")

    stored = repr(database.rows("auth_api_keys"))

    assert made.text not in stored
    assert made.text[14:] not in stored
    assert made.key.hint in stored
    assert made.text not in repr(made)


async def test_find_key_refuses_other_texts(api_keys: ApiKeys) -> None:
    """Texts that are similar to a key, or unlike one, find no key."""
    made = await api_keys.create_key(name="the shop", created_by="grace@example.com")
    changed = made.text[:-1] + ("a" if made.text[-1] != "a" else "b")
    texts = ["", "sixpence_", changed, made.text[:-1], made.text + "a", made.text.swapcase(), made.text[9:]]
    texts += [made.text + "\n", made.key.id, "sixpence_" + "ä" * 40, "sixpence_\ud800" + "a" * 39, "x" * 100_000]

    found = [await api_keys.find_key(text) for text in texts]

    assert found == [None] * len(texts)


async def test_revoked_key_is_refused_at_once(api_keys: ApiKeys, clock: SettableClock) -> None:
    """A revoked key is not found. Revoking it again keeps its time; another key still works."""
    made = await api_keys.create_key(name="the shop", created_by="grace@example.com")
    other = await api_keys.create_key(name="the blog", created_by="grace@example.com")
    clock.advance(seconds=3)
    revoked_at = clock.now

    revoked = await api_keys.revoke(made.key.id)
    clock.advance(seconds=3)
    second = await api_keys.revoke(made.key.id)

    assert (revoked.revoked_at, second) == (revoked_at, revoked)
    assert [await api_keys.find_key(each.text) for each in (made, other)] == [None, other.key]


async def test_revoke_refuses_unknown_id(api_keys: ApiKeys) -> None:
    """An unknown id is an error that has the id."""
    with pytest.raises(ApiKeyNotFoundError) as raised:
        await api_keys.revoke("no-such-id")

    assert raised.value == ApiKeyNotFoundError("no-such-id")


async def test_list_keys_newest_first(api_keys: ApiKeys, clock: SettableClock) -> None:
    """The list has every key, revoked ones too."""
    first = await api_keys.create_key(name="the shop", created_by="grace@example.com")
    clock.advance(seconds=1)
    second = await api_keys.create_key(name="the blog", created_by="grace@example.com")
    revoked = await api_keys.revoke(first.key.id)

    listed = await api_keys.list_keys()

    assert listed == [second.key, revoked]


@pytest.mark.parametrize(
    ("name", "created_by", "field"),
    [("", "grace@example.com", "name"), ("x" * 201, "grace@example.com", "name"), ("the shop", "\0", "created_by")],
)
async def test_create_key_refuses_invalid_names(
    api_keys: ApiKeys, database: SqlDatabase, name: str, created_by: str, field: str
) -> None:
    """An invalid name or creator is refused with the field's name, and no key is stored."""
    with pytest.raises(InvalidInputError) as raised:
        await api_keys.create_key(name=name, created_by=created_by)

    assert raised.value.field == field
    assert database.rows("auth_api_keys") == []

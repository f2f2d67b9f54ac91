"""The writer's statements with the placeholders of other drivers."""

import re

from sixpence.ledger.caller_transactions.postgres_session import declare_texts, to_percent_placeholders
from sixpence.ledger.postgres import statements


def test_numbered_placeholders_become_percents_in_order() -> None:
    """A parameter that is used twice is passed twice."""
    assert to_percent_placeholders("SELECT $2::int + $1::int, $2::text", ("a", "b")) == (
        "SELECT %s::int + %s::int, %s::text",
        ("b", "a", "b"),
    )


def test_numbered_placeholders_are_cast_from_text() -> None:
    """asyncpg sends a text, which the server casts."""
    assert declare_texts("SELECT $1::json, $10") == "SELECT $1::text::json, $10::text"


def test_statements_work_with_every_driver() -> None:
    """None has a percent sign, and each placeholder has a cast, except for the one inserted as text."""
    texts = {name: text for name, text in vars(statements).items() if name.isupper() and isinstance(text, str)}

    untyped = {name: re.findall(r"\$\d+(?!\d|::)", text) for name, text in texts.items()}

    assert len(texts) > 15
    assert {name for name, text in texts.items() if "%" in text} == set()
    assert {name: places for name, places in untyped.items() if places} == {"INSERT_OUTBOX": ["$1"]}

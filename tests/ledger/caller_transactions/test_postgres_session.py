"""The writer's statements in the placeholders of other drivers."""

import re

from sixpence.ledger.caller_transactions.postgres_session import in_order, with_texts
from sixpence.ledger.postgres import statements


def test_numbered_places_become_percents_in_their_order() -> None:
    """A parameter that is named twice is given twice."""
    assert in_order("SELECT $2::int + $1::int, $2::text", ("a", "b")) == (
        "SELECT %s::int + %s::int, %s::text",
        ("b", "a", "b"),
    )


def test_numbered_places_become_texts() -> None:
    """asyncpg is given a text, which the server casts."""
    assert with_texts("SELECT $1::json, $10") == "SELECT $1::text::json, $10::text"


def test_no_statement_would_be_misread_by_a_driver() -> None:
    """None has a percent sign, and each place says its type, but for the one that is inserted as a text."""
    texts = {name: text for name, text in vars(statements).items() if name.isupper() and isinstance(text, str)}

    untyped = {name: re.findall(r"\$\d+(?!\d|::)", text) for name, text in texts.items()}

    assert len(texts) > 15
    assert {name for name, text in texts.items() if "%" in text} == set()
    assert {name: places for name, places in untyped.items() if places} == {"OUTBOX": ["$1"]}

"""Reads the database at the end, without Sixpence: the rows as values, and the catalog that priced them."""

import json
from typing import Any

import msgspec

from sixpence.core.catalog.catalog import PricedBy
from sixpence.ledger.database import catalogs
from tests.histories.history import Row
from tests.ledger.databases import raw_engine, rows

_COLUMNS = (
    "account_id, seq, id, kind, amount, balance_after, total_after, held_after, plan, feature_used, credits_consumed, "
    "created_at, idempotency_key, metadata"
)


def read_rows(url: str) -> list[Row]:
    """Every row of the ledger."""
    return [_row(*columns) for columns in rows(url, f"SELECT {_COLUMNS} FROM credit_transactions")]


def read_catalog(url: str) -> PricedBy:
    """The only catalog."""
    with raw_engine(url).connect() as connection:
        current = catalogs.find_current(connection)
    assert current is not None
    assert current.version == 1
    return msgspec.structs.replace(current, earlier=())


def _row(*columns: Any) -> Row:
    facts, metadata = columns[:-1], columns[-1]
    number = None if metadata is None else json.loads(metadata)["number"]
    return Row(*(*facts, number))

"""Usage by day: adding up the uses in ranges of the ledger, and reading an account's sums.

The statement that adds is here for both databases. Not here: which rows are added and when (`outbox`,
`sixpence.ledger.relay`).
"""

from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection, select, text

from sixpence.core.values.bounds import AMOUNT_MAX
from sixpence.core.values.instant import DAY
from sixpence.ledger.database.tables import usage_daily


class SeqRange(msgspec.Struct, frozen=True, gc=False):
    """The rows of an account's ledger from `first` to `last`, both included."""

    account_no: int
    first: int
    last: int


class DayRow(msgspec.Struct, frozen=True, gc=False):
    """An account's usage of a feature on a day (whole days since 1970 UTC); sums are capped at 2^53 - 1."""

    day: int
    feature: str
    uses: int
    credits_consumed: int
    credits_refunded: int


_SUMS = ("uses", "credits_consumed", "credits_refunded")
_COLUMNS = f"account_no, day, feature, {', '.join(_SUMS)}"
# A late capture counts as a consume. A refund has the feature of the row that it is about, unless it names its own.
_COUNTED = f"""
    c.account_no, c.kind, c.created_at / {DAY} AS day, c.credits_consumed, c.detail, coalesce(c.feature_used, (
        SELECT o.feature_used FROM credit_transactions AS o WHERE o.account_no = c.account_no AND o.seq = c.about_seq
    )) AS feature
"""
_KINDS = "('consume', 'capture', 'refund')"


def _add_to_stored(minimum: str) -> str:
    """The clause that adds to the day's stored sums; `minimum` is the dialect's function for the least value."""
    sums = (f"{name} = {minimum}(usage_daily.{name} + excluded.{name}, {AMOUNT_MAX})" for name in _SUMS)
    return f"ON CONFLICT (account_no, day, feature) DO UPDATE SET {', '.join(sums)}"


_ADD = {
    # `total` adds floats. They are exact up to the cap, and do not overflow beyond it.
    "sqlite": text(
        f"""
        INSERT INTO usage_daily ({_COLUMNS})
        SELECT t.account_no, t.day, t.feature, sum(t.kind <> 'refund'),
               CAST(min(total(t.credits_consumed), {AMOUNT_MAX}) AS INTEGER),
               CAST(min(total(CASE t.kind WHEN 'refund' THEN json_extract(t.detail, '$.refunded') END), {AMOUNT_MAX})
                   AS INTEGER)
        FROM (
            SELECT {_COUNTED} FROM json_each(:ranges) AS s CROSS JOIN credit_transactions AS c
            WHERE c.account_no = json_extract(s.value, '$.account_no')
                AND c.seq BETWEEN json_extract(s.value, '$.first') AND json_extract(s.value, '$.last')
                AND c.kind IN {_KINDS}
        ) AS t
        WHERE t.feature IS NOT NULL GROUP BY t.account_no, t.day, t.feature
        {_add_to_stored("min")}
        """
    ),
    # OFFSET 0 forces one index look-up for each range, whatever a young table's statistics are.
    "postgresql": text(
        f"""
        INSERT INTO usage_daily ({_COLUMNS})
        SELECT t.account_no, t.day, t.feature, count(*) FILTER (WHERE t.kind <> 'refund'),
               least(coalesce(sum(t.credits_consumed), 0), {AMOUNT_MAX}),
               least(coalesce(sum(CASE t.kind WHEN 'refund' THEN (t.detail::json ->> 'refunded')::bigint END), 0),
                   {AMOUNT_MAX})
        FROM json_to_recordset(CAST(:ranges AS json)) AS s(account_no bigint, first bigint, last bigint)
        CROSS JOIN LATERAL (
            SELECT {_COUNTED} FROM credit_transactions AS c
            WHERE c.account_no = s.account_no AND c.seq BETWEEN s.first AND s.last AND c.kind IN {_KINDS} OFFSET 0
        ) AS t
        WHERE t.feature IS NOT NULL GROUP BY t.account_no, t.day, t.feature
        {_add_to_stored("least")}
        """
    ),
}


def add_usage(connection: Connection, ranges: Sequence[SeqRange]) -> None:
    """Add these rows of the ledger to the sums; each consume and capture counts as one use."""
    connection.execute(_ADD[connection.dialect.name], {"ranges": msgspec.json.encode(ranges).decode()})


def list_usage(connection: Connection, account_no: int, *, since: int, until: int) -> list[DayRow]:
    """An account's usage from the day `since` to before the day `until`, newest first."""
    columns = usage_daily.c
    query = (
        select(columns.day, columns.feature, *(columns[name] for name in _SUMS))
        .where(columns.account_no == account_no, columns.day >= since, columns.day < until)
        .order_by(columns.day.desc(), columns.feature)
    )
    return [DayRow(*row) for row in connection.execute(query)]

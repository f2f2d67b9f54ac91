"""Usage by day: adding up what rows of the ledger say of uses, and reading the sums of an account.

The one statement that adds stands here for both databases. Not here: which rows are added and when (`outbox`,
`sixpence.ledger.relay`).
"""

from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection, select, text

from sixpence.core.values.bounds import AMOUNT_MAX
from sixpence.core.values.instant import DAY
from sixpence.ledger.database.tables import usage_daily


class Span(msgspec.Struct, frozen=True, gc=False):
    """Rows of an account's ledger, from `first` to `last`."""

    account_no: int
    first: int
    last: int


class DayRow(msgspec.Struct, frozen=True, gc=False):
    """What was used of a feature on a day (whole days since 1970 UTC); a sum ends at 2^53 - 1."""

    day: int
    feature: str
    uses: int
    credits_consumed: int
    credits_refunded: int


_SUMS = ("uses", "credits_consumed", "credits_refunded")
_COLUMNS = f"account_no, day, feature, {', '.join(_SUMS)}"
# A late capture is a consume, too. A refund is about another row, whose feature it has: where it does not say so
# itself, that row does.
_COUNTED = f"""
    c.account_no, c.kind, c.created_at / {DAY} AS day, c.credits_consumed, c.detail, coalesce(c.feature_used, (
        SELECT o.feature_used FROM credit_transactions AS o WHERE o.account_no = c.account_no AND o.seq = c.about_seq
    )) AS feature
"""
_KINDS = "('consume', 'capture', 'refund')"


def _onto(least: str) -> str:
    """Add to what the day has already."""
    sums = (f"{name} = {least}(usage_daily.{name} + excluded.{name}, {AMOUNT_MAX})" for name in _SUMS)
    return f"ON CONFLICT (account_no, day, feature) DO UPDATE SET {', '.join(sums)}"


_ADD = {
    # `total` adds floats, which are exact up to where a sum ends, and does not fail beyond.
    "sqlite": text(
        f"""
        INSERT INTO usage_daily ({_COLUMNS})
        SELECT t.account_no, t.day, t.feature, sum(t.kind <> 'refund'),
               CAST(min(total(t.credits_consumed), {AMOUNT_MAX}) AS INTEGER),
               CAST(min(total(CASE t.kind WHEN 'refund' THEN json_extract(t.detail, '$.refunded') END), {AMOUNT_MAX})
                   AS INTEGER)
        FROM (
            SELECT {_COUNTED} FROM json_each(:spans) AS s CROSS JOIN credit_transactions AS c
            WHERE c.account_no = json_extract(s.value, '$.account_no')
                AND c.seq BETWEEN json_extract(s.value, '$.first') AND json_extract(s.value, '$.last')
                AND c.kind IN {_KINDS}
        ) AS t
        WHERE t.feature IS NOT NULL GROUP BY t.account_no, t.day, t.feature
        {_onto("min")}
        """
    ),
    # OFFSET 0 keeps the look-ups apart: one of the index for each span, whatever a young table's statistics say.
    "postgresql": text(
        f"""
        INSERT INTO usage_daily ({_COLUMNS})
        SELECT t.account_no, t.day, t.feature, count(*) FILTER (WHERE t.kind <> 'refund'),
               least(coalesce(sum(t.credits_consumed), 0), {AMOUNT_MAX}),
               least(coalesce(sum(CASE t.kind WHEN 'refund' THEN (t.detail::json ->> 'refunded')::bigint END), 0),
                   {AMOUNT_MAX})
        FROM json_to_recordset(CAST(:spans AS json)) AS s(account_no bigint, first bigint, last bigint)
        CROSS JOIN LATERAL (
            SELECT {_COUNTED} FROM credit_transactions AS c
            WHERE c.account_no = s.account_no AND c.seq BETWEEN s.first AND s.last AND c.kind IN {_KINDS} OFFSET 0
        ) AS t
        WHERE t.feature IS NOT NULL GROUP BY t.account_no, t.day, t.feature
        {_onto("least")}
        """
    ),
}


def add_usage(connection: Connection, spans: Sequence[Span]) -> None:
    """Add what these rows of the ledger say: a use for each consume and capture, and what was consumed and refunded."""
    connection.execute(_ADD[connection.dialect.name], {"spans": msgspec.json.encode(spans).decode()})


def list_usage(connection: Connection, account_no: int, *, since: int, until: int) -> list[DayRow]:
    """An account's usage from the day `since` up to the day `until`, which is left out; newest first."""
    columns = usage_daily.c
    query = (
        select(columns.day, columns.feature, *(columns[name] for name in _SUMS))
        .where(columns.account_no == account_no, columns.day >= since, columns.day < until)
        .order_by(columns.day.desc(), columns.feature)
    )
    return [DayRow(*row) for row in connection.execute(query)]

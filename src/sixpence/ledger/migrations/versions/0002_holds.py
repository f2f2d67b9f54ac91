"""Holds as documents, `about_seq` of transactions, an index of captures, and several grants per row in the view."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def words() -> sa.Text:
    """Text that compares by bytes on both databases."""
    return sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Add a column, indexes and the new table of holds; existing rows do not change."""
    op.execute("DROP VIEW credit_grants")
    op.add_column("credit_transactions", sa.Column("about_seq", sa.BigInteger(), nullable=True))
    _index("credit_transactions_about", ["account_no", "about_seq"], where="about_seq IS NOT NULL")
    _index("credit_transactions_captures", ["feature_used", "created_at"], where="kind = 'capture'")
    _holds()
    op.execute(GRANTS[op.get_context().dialect.name])


def _index(name: str, columns: list[str], *, where: str, table: str = "credit_transactions") -> None:
    op.create_index(name, table, columns, unique=False, postgresql_where=sa.text(where), sqlite_where=sa.text(where))


def _holds() -> None:
    """Replace the table: the old one never had a row."""
    op.drop_table("credit_holds")
    op.create_table(
        "credit_holds",
        sa.Column("account_no", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", words(), nullable=False),
        sa.Column("state", words(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.CheckConstraint("amount BETWEEN 0 AND 9007199254740991", name="amount_bounds"),
        sa.PrimaryKeyConstraint("account_no", "seq"),
    )
    _index("credit_holds_open", ["account_no", "expires_at", "seq"], where="state = 'open'", table="credit_holds")


# For people and reports: every grant with its remaining amount. Decisions never read it. A row's first grant has the
# row's id; the next ones append a number. The first grant is in `grant`, the others are in `more_grants`.
GRANTS = {
    "sqlite": """
        CREATE VIEW credit_grants AS
        SELECT t.account_no, t.account_id, t.grant_id AS id, t.kind,
               json_extract(t.terms, '$.amount') AS amount,
               coalesce(json_extract(g.value, '$.remaining'), 0) AS remaining,
               coalesce(json_extract(g.value, '$.held'), 0) AS held,
               json_extract(t.terms, '$.category') AS category,
               coalesce(json_extract(t.terms, '$.priority'), 100) AS priority,
               strftime('%Y-%m-%dT%H:%M:%fZ', json_extract(t.terms, '$.effective_at') / 1e6, 'unixepoch')
                   AS effective_at,
               strftime('%Y-%m-%dT%H:%M:%fZ', json_extract(t.terms, '$.expires_at') / 1e6, 'unixepoch')
                   AS expires_at,
               json_extract(t.terms, '$.features') AS features,
               CASE WHEN g.value IS NULL THEN 'ended'
                    WHEN json_extract(g.value, '$.pending') THEN 'pending'
                    ELSE coalesce(json_extract(g.value, '$.over'), 'live') END AS state
        FROM (
            SELECT account_no, account_id, id AS grant_id, kind, json_extract(detail, '$.grant') AS terms
            FROM credit_transactions WHERE json_extract(detail, '$.grant') IS NOT NULL
            UNION ALL
            SELECT account_no, account_id, r.id || '.' || (m.key + 2), kind, m.value
            FROM credit_transactions AS r, json_each(r.detail, '$.more_grants') AS m
        ) AS t
        JOIN credit_accounts AS a ON a.account_no = t.account_no
        LEFT JOIN json_each(a.live, '$.grants') AS g ON json_extract(g.value, '$.id') = t.grant_id
    """,
    "postgresql": """
        CREATE VIEW credit_grants AS
        SELECT t.account_no, t.account_id, t.grant_id AS id, t.kind,
               (t.terms ->> 'amount')::bigint AS amount,
               coalesce((g.value ->> 'remaining')::bigint, 0) AS remaining,
               coalesce((g.value ->> 'held')::bigint, 0) AS held,
               t.terms ->> 'category' AS category,
               coalesce((t.terms ->> 'priority')::bigint, 100) AS priority,
               to_timestamp((t.terms ->> 'effective_at')::bigint / 1e6) AS effective_at,
               to_timestamp((t.terms ->> 'expires_at')::bigint / 1e6) AS expires_at,
               t.terms ->> 'features' AS features,
               CASE WHEN g.value IS NULL THEN 'ended'
                    WHEN (g.value ->> 'pending')::boolean THEN 'pending'
                    ELSE coalesce(g.value ->> 'over', 'live') END AS state
        FROM (
            SELECT account_no, account_id, id AS grant_id, kind, detail::json -> 'grant' AS terms
            FROM credit_transactions WHERE detail::json -> 'grant' IS NOT NULL
            UNION ALL
            SELECT account_no, account_id, id || '.' || (m.place + 1), kind, m.value
            FROM credit_transactions,
                json_array_elements(detail::json -> 'more_grants') WITH ORDINALITY AS m(value, place)
        ) AS t
        JOIN credit_accounts AS a ON a.account_no = t.account_no
        LEFT JOIN LATERAL json_array_elements(a.live::json -> 'grants') AS g ON g.value ->> 'id' = t.grant_id
    """,
}

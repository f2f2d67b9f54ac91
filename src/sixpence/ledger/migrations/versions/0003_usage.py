"""Usage by account, day and feature, and free space on the pages of accounts, which every batch updates."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

AMOUNT_MAX = 9007199254740991


def words() -> sa.Text:
    """Text that compares by bytes on both databases."""
    return sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Add the table, empty: the first relay to run counts the rows that are still in the outbox."""
    op.create_table(
        "usage_daily",
        sa.Column("account_no", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("day", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("feature", words(), nullable=False),
        sa.Column("uses", sa.BigInteger(), nullable=False),
        sa.Column("credits_consumed", sa.BigInteger(), nullable=False),
        sa.Column("credits_refunded", sa.BigInteger(), nullable=False),
        *(
            sa.CheckConstraint(f"{name} BETWEEN 0 AND {AMOUNT_MAX}", name=f"{name}_bounds")
            for name in ("uses", "credits_consumed", "credits_refunded")
        ),
        sa.PrimaryKeyConstraint("account_no", "day", "feature"),
        sqlite_with_rowid=False,
    )
    if op.get_context().dialect.name == "postgresql":
        op.execute(
            "ALTER TABLE credit_accounts SET (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.02, "
            "autovacuum_vacuum_cost_delay = 0)"
        )
        op.execute("ALTER TABLE usage_daily SET (fillfactor = 70)")

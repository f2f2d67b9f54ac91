"""The first schema: accounts, ledger, holds, claims, catalogs, outbox, embedded sign-in."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def words() -> sa.Text:
    """Text that compares by bytes on both databases."""
    return sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def row_number() -> sa.BigInteger:
    """A number that both databases assign automatically."""
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create every table and the view of grants."""
    _credits()
    _delivery()
    _sign_in()
    op.execute(GRANTS[op.get_context().dialect.name])


def _credits() -> None:
    op.create_table(
        "credit_accounts",
        sa.Column("account_no", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("account_id", words(), nullable=False),
        sa.Column("subscription_status", words(), server_default="", nullable=False),
        sa.Column("credits_remaining", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("credits_held", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("credits_total", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("credits_owed", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("credits_granted_at", sa.BigInteger(), nullable=True),
        sa.Column("seq", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("head", sa.LargeBinary(), nullable=True),
        sa.Column("last_at", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("next_due_at", sa.BigInteger(), nullable=True),
        sa.Column("live", sa.Text(), server_default="{}", nullable=False),
        sa.Column("label", sa.Text(), nullable=True),
        sa.Column("metadata", sa.Text(), nullable=True),
        sa.CheckConstraint("credits_held BETWEEN 0 AND 9007199254740991", name="credits_held_bounds"),
        sa.CheckConstraint("credits_owed BETWEEN 0 AND 9007199254740991", name="credits_owed_bounds"),
        sa.CheckConstraint(
            "credits_remaining BETWEEN -9007199254740991 AND 9007199254740991", name="credits_remaining_bounds"
        ),
        sa.CheckConstraint("credits_total BETWEEN 0 AND 9007199254740991", name="credits_total_bounds"),
        sa.CheckConstraint("seq >= 0", name="seq_bounds"),
        sa.PrimaryKeyConstraint("account_no"),
    )
    op.create_index(
        "credit_accounts_due",
        "credit_accounts",
        ["next_due_at"],
        unique=False,
        postgresql_where=sa.text("next_due_at IS NOT NULL"),
        sqlite_where=sa.text("next_due_at IS NOT NULL"),
    )
    op.create_table(
        "credit_transactions",
        sa.Column("account_no", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", words(), nullable=False),
        sa.Column("account_id", words(), nullable=False),
        sa.Column("kind", words(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("balance_after", sa.BigInteger(), nullable=False),
        sa.Column("total_after", sa.BigInteger(), nullable=False),
        sa.Column("held_after", sa.BigInteger(), nullable=False),
        sa.Column("plan", words(), nullable=False),
        sa.Column("feature_used", words(), nullable=True),
        sa.Column("credits_consumed", sa.BigInteger(), nullable=True),
        sa.Column("generation_id", words(), nullable=True),
        sa.Column("metadata", sa.Text(), nullable=True),
        sa.Column("metadata_digest", sa.LargeBinary(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("allocations", sa.Text(), nullable=False),
        sa.Column("idempotency_key", words(), nullable=True),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=True),
        sa.Column("hash_format", sa.Integer(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("recorded_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("amount BETWEEN -9007199254740991 AND 9007199254740991", name="amount_bounds"),
        sa.CheckConstraint("balance_after BETWEEN -9007199254740991 AND 9007199254740991", name="balance_after_bounds"),
        sa.CheckConstraint("credits_consumed BETWEEN 0 AND 9007199254740991", name="credits_consumed_bounds"),
        sa.CheckConstraint("held_after BETWEEN 0 AND 9007199254740991", name="held_after_bounds"),
        sa.CheckConstraint("seq >= 1", name="seq_bounds"),
        sa.CheckConstraint("total_after BETWEEN 0 AND 9007199254740991", name="total_after_bounds"),
        sa.PrimaryKeyConstraint("account_no", "seq"),
    )
    op.create_index(
        "credit_transactions_key",
        "credit_transactions",
        ["account_no", "idempotency_key"],
        unique=True,
        postgresql_where=sa.text("idempotency_key IS NOT NULL"),
        sqlite_where=sa.text("idempotency_key IS NOT NULL"),
    )
    op.create_table(
        "credit_holds",
        sa.Column("account_no", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", words(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("allocations", sa.Text(), nullable=False),
        sa.Column("state", words(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("plan", words(), nullable=False),
        sa.Column("catalog_version", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("amount BETWEEN 0 AND 9007199254740991", name="amount_bounds"),
        sa.PrimaryKeyConstraint("account_no", "seq"),
    )
    op.create_table(
        "source_claims",
        sa.Column("source_key", words(), nullable=False),
        sa.Column("account_no", sa.BigInteger(), nullable=False),
        sa.Column("account_id", words(), nullable=False),
        sa.Column("claimed_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("source_key"),
    )
    op.create_table(
        "catalog_versions",
        sa.Column("version", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("digest", words(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("applied_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("version"),
    )


def _delivery() -> None:
    op.create_table(
        "outbox",
        sa.Column("id", row_number(), sa.Identity(always=True), nullable=False),
        sa.Column("touched", sa.Text(), nullable=False),
        sa.Column("recorded_at", sa.BigInteger(), nullable=False),
        sa.Column("written_by", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )


def _sign_in() -> None:
    op.create_table(
        "auth_users",
        sa.Column("id", words(), nullable=False),
        sa.Column("email", words(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("email_verified", sa.Boolean(), nullable=False),
        sa.Column("image", sa.Text(), nullable=True),
        sa.Column("role", words(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("email"),
    )
    op.create_table(
        "auth_sessions",
        sa.Column("id", words(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("user_id", words(), nullable=False),
        sa.Column("remember", sa.Boolean(), nullable=False),
        sa.Column("ip_address", sa.Text(), nullable=True),
        sa.Column("user_agent", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["auth_users.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("token_hash"),
    )
    op.create_index("auth_sessions_expiry", "auth_sessions", ["expires_at"], unique=False)
    op.create_index("auth_sessions_user", "auth_sessions", ["user_id"], unique=False)
    op.create_table(
        "auth_api_keys",
        sa.Column("id", words(), nullable=False),
        sa.Column("key_hash", sa.LargeBinary(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("hint", words(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("key_hash"),
    )
    op.create_table(
        "auth_sign_ins",
        sa.Column("id", row_number(), sa.Identity(always=True), nullable=False),
        sa.Column("email", words(), nullable=False),
        sa.Column("user_id", words(), nullable=True),
        sa.Column("succeeded", sa.Boolean(), nullable=False),
        sa.Column("ip_address", sa.Text(), nullable=True),
        sa.Column("user_agent", sa.Text(), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("auth_sign_ins_email", "auth_sign_ins", ["email", "at"], unique=False)


# For people and reports: every grant with its remaining amount. Decisions never read it.
GRANTS = {
    "sqlite": """
        CREATE VIEW credit_grants AS
        SELECT t.account_no, t.account_id, t.id, t.kind,
               json_extract(t.detail, '$.grant.amount') AS amount,
               coalesce(json_extract(g.value, '$.remaining'), 0) AS remaining,
               coalesce(json_extract(g.value, '$.held'), 0) AS held,
               json_extract(t.detail, '$.grant.category') AS category,
               coalesce(json_extract(t.detail, '$.grant.priority'), 100) AS priority,
               strftime('%Y-%m-%dT%H:%M:%fZ', json_extract(t.detail, '$.grant.effective_at') / 1e6, 'unixepoch')
                   AS effective_at,
               strftime('%Y-%m-%dT%H:%M:%fZ', json_extract(t.detail, '$.grant.expires_at') / 1e6, 'unixepoch')
                   AS expires_at,
               json_extract(t.detail, '$.grant.features') AS features,
               CASE WHEN g.value IS NULL THEN 'ended'
                    WHEN json_extract(g.value, '$.pending') THEN 'pending' ELSE 'live' END AS state
        FROM credit_transactions AS t
        JOIN credit_accounts AS a ON a.account_no = t.account_no
        LEFT JOIN json_each(a.live, '$.grants') AS g ON json_extract(g.value, '$.id') = t.id
        WHERE json_extract(t.detail, '$.grant') IS NOT NULL
    """,
    "postgresql": """
        CREATE VIEW credit_grants AS
        SELECT t.account_no, t.account_id, t.id, t.kind,
               (t.detail::json #>> '{grant,amount}')::bigint AS amount,
               coalesce((g.value ->> 'remaining')::bigint, 0) AS remaining,
               coalesce((g.value ->> 'held')::bigint, 0) AS held,
               t.detail::json #>> '{grant,category}' AS category,
               coalesce((t.detail::json #>> '{grant,priority}')::bigint, 100) AS priority,
               to_timestamp((t.detail::json #>> '{grant,effective_at}')::bigint / 1e6) AS effective_at,
               to_timestamp((t.detail::json #>> '{grant,expires_at}')::bigint / 1e6) AS expires_at,
               t.detail::json #>> '{grant,features}' AS features,
               CASE WHEN g.value IS NULL THEN 'ended'
                    WHEN (g.value ->> 'pending')::boolean THEN 'pending' ELSE 'live' END AS state
        FROM credit_transactions AS t
        JOIN credit_accounts AS a ON a.account_no = t.account_no
        LEFT JOIN LATERAL json_array_elements(a.live::json -> 'grants') AS g ON g.value ->> 'id' = t.id
        WHERE t.detail::json -> 'grant' IS NOT NULL
    """,
}

"""The tables, one definition for SQLite and PostgreSQL.

Instants are whole microseconds since 1970 UTC in 64-bit integers, and amounts are integers in the smallest unit.
Documents are text, since `jsonb` reorders names and rewrites numbers. Ids compare by bytes on both databases.
Not here: reads and writes of rows (`sqlite`, `postgres`, `reads`), and the steps that create the tables (`migrations`).
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    text,
)

from sixpence.core.values.bounds import AMOUNT_MAX

metadata = MetaData()

# Text compares and sorts by bytes, not by a language; SQLite's default collation does that already.
ByteText = Text().with_variant(Text(collation="C"), "postgresql")
# SQLite assigns row numbers only to columns of its INTEGER type.
RowNumber = BigInteger().with_variant(Integer(), "sqlite")

# The key in a table's `info` for PostgreSQL's storage parameters.
STORAGE = "storage"


def _bounded(name: str, least: int = 0) -> CheckConstraint:
    return CheckConstraint(f"{name} BETWEEN {least} AND {AMOUNT_MAX}", name=f"{name}_bounds")


credit_accounts = Table(
    "credit_accounts",
    metadata,
    Column("account_no", BigInteger, primary_key=True, autoincrement=False),
    Column("account_id", ByteText, nullable=False),
    Column("subscription_status", ByteText, nullable=False, server_default=""),
    Column("credits_remaining", BigInteger, nullable=False, server_default="0"),
    Column("credits_held", BigInteger, nullable=False, server_default="0"),
    Column("credits_total", BigInteger, nullable=False, server_default="0"),
    Column("credits_owed", BigInteger, nullable=False, server_default="0"),
    Column("credits_granted_at", BigInteger),
    Column("seq", BigInteger, nullable=False, server_default="0"),
    Column("head", LargeBinary),
    Column("last_at", BigInteger, nullable=False, server_default="0"),
    Column("next_due_at", BigInteger),
    Column("live", Text, nullable=False, server_default="{}"),
    Column("label", Text),
    Column("metadata", Text),
    _bounded("credits_remaining", -AMOUNT_MAX),
    _bounded("credits_held"),
    _bounded("credits_total"),
    _bounded("credits_owed"),
    CheckConstraint("seq >= 0", name="seq_bounds"),
    # Every batch updates the rows of its accounts. Free space on the page keeps the updates out of the indexes, and
    # autovacuum removes dead rows early.
    info={
        STORAGE: {
            "autovacuum_vacuum_cost_delay": "0",
            "autovacuum_vacuum_scale_factor": "0.02",
            "fillfactor": "50",
        }
    },
)
Index(
    "credit_accounts_due",
    credit_accounts.c.next_due_at,
    postgresql_where=text("next_due_at IS NOT NULL"),
    sqlite_where=text("next_due_at IS NOT NULL"),
)

credit_transactions = Table(
    "credit_transactions",
    metadata,
    Column("account_no", BigInteger, primary_key=True, autoincrement=False),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("id", ByteText, nullable=False),
    Column("account_id", ByteText, nullable=False),
    Column("kind", ByteText, nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("balance_after", BigInteger, nullable=False),
    Column("total_after", BigInteger, nullable=False),
    Column("held_after", BigInteger, nullable=False),
    Column("plan", ByteText, nullable=False),
    Column("feature_used", ByteText),
    Column("credits_consumed", BigInteger),
    Column("generation_id", ByteText),
    Column("metadata", Text),
    Column("metadata_digest", LargeBinary),
    Column("detail", Text, nullable=False),
    Column("allocations", Text, nullable=False),
    Column("idempotency_key", ByteText),
    Column("fingerprint", LargeBinary),
    Column("hash_format", Integer, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("recorded_at", BigInteger, nullable=False),
    Column("about_seq", BigInteger),
    _bounded("amount", -AMOUNT_MAX),
    _bounded("balance_after", -AMOUNT_MAX),
    _bounded("total_after"),
    _bounded("held_after"),
    _bounded("credits_consumed"),
    CheckConstraint("seq >= 1", name="seq_bounds"),
)
# Unique per account. A refusal stores no row, so only an accepted command takes a key.
Index(
    "credit_transactions_key",
    credit_transactions.c.account_no,
    credit_transactions.c.idempotency_key,
    unique=True,
    postgresql_where=text("idempotency_key IS NOT NULL"),
    sqlite_where=text("idempotency_key IS NOT NULL"),
)

# The rows about a transaction: its refunds, the end of a hold, a voided grant.
Index(
    "credit_transactions_about",
    credit_transactions.c.account_no,
    credit_transactions.c.about_seq,
    postgresql_where=text("about_seq IS NOT NULL"),
    sqlite_where=text("about_seq IS NOT NULL"),
)
# The captured cost of each feature, over all accounts: estimates read the newest.
Index(
    "credit_transactions_captures",
    credit_transactions.c.feature_used,
    credit_transactions.c.created_at,
    postgresql_where=text("kind = 'capture'"),
    sqlite_where=text("kind = 'capture'"),
)

# The document is the hold; queries use the columns for state, amount and expiry.
credit_holds = Table(
    "credit_holds",
    metadata,
    Column("account_no", BigInteger, primary_key=True, autoincrement=False),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("id", ByteText, nullable=False),
    Column("state", ByteText, nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("document", Text, nullable=False),
    _bounded("amount"),
)
Index(
    "credit_holds_open",
    credit_holds.c.account_no,
    credit_holds.c.expires_at,
    credit_holds.c.seq,
    postgresql_where=text("state = 'open'"),
    sqlite_where=text("state = 'open'"),
)

source_claims = Table(
    "source_claims",
    metadata,
    Column("source_key", ByteText, primary_key=True),
    Column("account_no", BigInteger, nullable=False),
    Column("account_id", ByteText, nullable=False),
    Column("claimed_at", BigInteger, nullable=False),
)

catalog_versions = Table(
    "catalog_versions",
    metadata,
    Column("version", BigInteger, primary_key=True, autoincrement=False),
    Column("digest", ByteText, nullable=False),
    Column("document", Text, nullable=False),
    Column("applied_at", BigInteger, nullable=False),
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", RowNumber, Identity(always=True), primary_key=True),
    Column("touched", Text, nullable=False),
    Column("recorded_at", BigInteger, nullable=False),
    # PostgreSQL's transaction id: a relay reads only below the oldest running one.
    Column("written_by", BigInteger),
    # A number is never assigned twice, even after the relay has emptied the table.
    sqlite_autoincrement=True,
)

# An account's usage by day (whole days since 1970 UTC, by the `created_at` of the ledger's rows) and feature. A relay
# sums it from the outbox, so it may be behind the ledger; no decision reads it.
usage_daily = Table(
    "usage_daily",
    metadata,
    Column("account_no", BigInteger, primary_key=True, autoincrement=False),
    Column("day", Integer, primary_key=True, autoincrement=False),
    Column("feature", ByteText, primary_key=True),
    Column("uses", BigInteger, nullable=False),
    Column("credits_consumed", BigInteger, nullable=False),
    Column("credits_refunded", BigInteger, nullable=False),
    _bounded("uses"),
    _bounded("credits_consumed"),
    _bounded("credits_refunded"),
    sqlite_with_rowid=False,
    # A day's row is updated until the day is over.
    info={STORAGE: {"fillfactor": "70"}},
)

# The signed documents, byte for byte: one row per checkpoint, never deleted.
checkpoints = Table(
    "checkpoints",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("made_at", BigInteger, nullable=False),
    Column("document", Text, nullable=False),
)

# The accounts' heads of the newest checkpoints, in the order of account numbers, some thousand per row: one row gives
# an account's leaf and the first part of its path to the root. `root` is the Merkle root over `heads`.
checkpoint_heads = Table(
    "checkpoint_heads",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("chunk", Integer, primary_key=True, autoincrement=False),
    Column("first_account_no", BigInteger, nullable=False),
    Column("root", LargeBinary, nullable=False),
    Column("heads", LargeBinary, nullable=False),
)

auth_users = Table(
    "auth_users",
    metadata,
    Column("id", ByteText, primary_key=True),
    Column("email", ByteText, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("password_hash", Text, nullable=False),
    Column("email_verified", Boolean, nullable=False),
    Column("image", Text),
    Column("role", ByteText, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
)

auth_sessions = Table(
    "auth_sessions",
    metadata,
    Column("id", ByteText, primary_key=True),
    Column("token_hash", LargeBinary, nullable=False, unique=True),
    Column("user_id", ByteText, ForeignKey("auth_users.id", ondelete="CASCADE"), nullable=False),
    Column("remember", Boolean, nullable=False),
    Column("ip_address", Text),
    Column("user_agent", Text),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Index("auth_sessions_user", "user_id"),
    Index("auth_sessions_expiry", "expires_at"),
)

auth_api_keys = Table(
    "auth_api_keys",
    metadata,
    Column("id", ByteText, primary_key=True),
    Column("key_hash", LargeBinary, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    # The first characters, so that a person can tell keys apart.
    Column("hint", ByteText, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("revoked_at", BigInteger),
)

auth_sign_ins = Table(
    "auth_sign_ins",
    metadata,
    Column("id", RowNumber, Identity(always=True), primary_key=True),
    Column("email", ByteText, nullable=False),
    Column("user_id", ByteText),
    Column("succeeded", Boolean, nullable=False),
    Column("ip_address", Text),
    Column("user_agent", Text),
    Column("at", BigInteger, nullable=False),
    Index("auth_sign_ins_email", "email", "at"),
)

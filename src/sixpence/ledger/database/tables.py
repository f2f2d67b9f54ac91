"""The tables, one definition for SQLite and PostgreSQL. How rows get in and out stands in `store` and `reader`.

Instants are whole microseconds since 1970 UTC in 64-bit integers, amounts integers in the smallest unit; documents are
kept as text, since `jsonb` reorders names and rewrites numbers. Ids compare by bytes on both databases.
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

# Bytes, not a language, decide what is equal and what comes first; SQLite's own collation does that already.
Words = Text().with_variant(Text(collation="C"), "postgresql")
# SQLite numbers rows by itself only for its own INTEGER type.
RowNumber = BigInteger().with_variant(Integer(), "sqlite")

# In a table's `info`: how PostgreSQL keeps it, where that is not as it keeps any other.
STORAGE = "storage"


def _bounded(name: str, least: int = 0) -> CheckConstraint:
    return CheckConstraint(f"{name} BETWEEN {least} AND {AMOUNT_MAX}", name=f"{name}_bounds")


credit_accounts = Table(
    "credit_accounts",
    metadata,
    Column("account_no", BigInteger, primary_key=True, autoincrement=False),
    Column("account_id", Words, nullable=False),
    Column("subscription_status", Words, nullable=False, server_default=""),
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
    # Every batch updates the rows of its accounts: with room on the page none of that touches an index, and what the
    # updates leave behind is cleared away early.
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
    Column("id", Words, nullable=False),
    Column("account_id", Words, nullable=False),
    Column("kind", Words, nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("balance_after", BigInteger, nullable=False),
    Column("total_after", BigInteger, nullable=False),
    Column("held_after", BigInteger, nullable=False),
    Column("plan", Words, nullable=False),
    Column("feature_used", Words),
    Column("credits_consumed", BigInteger),
    Column("generation_id", Words),
    Column("metadata", Text),
    Column("metadata_digest", LargeBinary),
    Column("detail", Text, nullable=False),
    Column("allocations", Text, nullable=False),
    Column("idempotency_key", Words),
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
# Unique per account where present; a refusal stores nothing, so a key is taken only by what happened.
Index(
    "credit_transactions_key",
    credit_transactions.c.account_no,
    credit_transactions.c.idempotency_key,
    unique=True,
    postgresql_where=text("idempotency_key IS NOT NULL"),
    sqlite_where=text("idempotency_key IS NOT NULL"),
)

# What came of a transaction: its refunds, the end of a hold, a voided grant.
Index(
    "credit_transactions_about",
    credit_transactions.c.account_no,
    credit_transactions.c.about_seq,
    postgresql_where=text("about_seq IS NOT NULL"),
    sqlite_where=text("about_seq IS NOT NULL"),
)
# What uses of a feature really cost, over all accounts: estimates read the newest.
Index(
    "credit_transactions_captures",
    credit_transactions.c.feature_used,
    credit_transactions.c.created_at,
    postgresql_where=text("kind = 'capture'"),
    sqlite_where=text("kind = 'capture'"),
)

# The document is the hold; state, amount and expiry stand beside it to be asked for.
credit_holds = Table(
    "credit_holds",
    metadata,
    Column("account_no", BigInteger, primary_key=True, autoincrement=False),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("id", Words, nullable=False),
    Column("state", Words, nullable=False),
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
    Column("source_key", Words, primary_key=True),
    Column("account_no", BigInteger, nullable=False),
    Column("account_id", Words, nullable=False),
    Column("claimed_at", BigInteger, nullable=False),
)

catalog_versions = Table(
    "catalog_versions",
    metadata,
    Column("version", BigInteger, primary_key=True, autoincrement=False),
    Column("digest", Words, nullable=False),
    Column("document", Text, nullable=False),
    Column("applied_at", BigInteger, nullable=False),
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", RowNumber, Identity(always=True), primary_key=True),
    Column("touched", Text, nullable=False),
    Column("recorded_at", BigInteger, nullable=False),
    # PostgreSQL's transaction number: a relay reads only below the oldest one that still runs.
    Column("written_by", BigInteger),
    # A number is never given twice, even when the relay has emptied the table.
    sqlite_autoincrement=True,
)

# What was used on a day of an account (whole days since 1970 UTC, by the `created_at` of the ledger's rows): a relay
# adds it up from the outbox, so it may be behind the ledger; nothing is decided by it.
usage_daily = Table(
    "usage_daily",
    metadata,
    Column("account_no", BigInteger, primary_key=True, autoincrement=False),
    Column("day", Integer, primary_key=True, autoincrement=False),
    Column("feature", Words, primary_key=True),
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

# What was signed, as it was signed: one row a checkpoint, kept for ever.
checkpoints = Table(
    "checkpoints",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("made_at", BigInteger, nullable=False),
    Column("document", Text, nullable=False),
)

# The accounts' heads under the newest checkpoints, in the order of their numbers, some thousand in a row: so an
# account's place and its way to the root are found with one of them. `root` is the root over those in `heads`.
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
    Column("id", Words, primary_key=True),
    Column("email", Words, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("password_hash", Text, nullable=False),
    Column("email_verified", Boolean, nullable=False),
    Column("image", Text),
    Column("role", Words, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
)

auth_sessions = Table(
    "auth_sessions",
    metadata,
    Column("id", Words, primary_key=True),
    Column("token_hash", LargeBinary, nullable=False, unique=True),
    Column("user_id", Words, ForeignKey("auth_users.id", ondelete="CASCADE"), nullable=False),
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
    Column("id", Words, primary_key=True),
    Column("key_hash", LargeBinary, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    # The first characters, so that a person can tell keys apart.
    Column("hint", Words, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("revoked_at", BigInteger),
)

auth_sign_ins = Table(
    "auth_sign_ins",
    metadata,
    Column("id", RowNumber, Identity(always=True), primary_key=True),
    Column("email", Words, nullable=False),
    Column("user_id", Words),
    Column("succeeded", Boolean, nullable=False),
    Column("ip_address", Text),
    Column("user_agent", Text),
    Column("at", BigInteger, nullable=False),
    Index("auth_sign_ins_email", "email", "at"),
)

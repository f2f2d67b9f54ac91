"""Claims: the one account to which an outside event (a payment, a referral) belongs, whoever tells of it how often.

A claim is committed before the grant that carries the same key, so a grant that follows a claim is made once over all
accounts (invariant 11). What the event gives is not known here.
"""

from sqlalchemy import Connection, select, text

from sixpence.core.values.bounds import account_no
from sixpence.ledger.database.tables import source_claims

# How the idempotency key of such a grant begins. No caller's own key can: it holds a control character.
SOURCE_PREFIX = "source\x1f"

# Who comes second waits for the first one's commit, and then finds the claim taken.
_CLAIM = text(
    """
    INSERT INTO source_claims (source_key, account_no, account_id, claimed_at)
    VALUES (:source_key, :account_no, :account_id, :claimed_at) ON CONFLICT DO NOTHING
    """
)


def find_owner(connection: Connection, source_key: str) -> str | None:
    """The id of the account that has claimed the event, None where none has."""
    owner = connection.scalar(select(source_claims.c.account_id).where(source_claims.c.source_key == source_key))
    return None if owner is None else str(owner)


def claim(connection: Connection, source_key: str, account_id: str, now: int) -> str:
    """Claim the event for the account unless it is claimed; returns the id of the account that has it.

    In a transaction of its own: `Ledger.write`. `now` is microseconds.
    """
    values = {"source_key": source_key, "account_no": account_no(account_id), "account_id": account_id}
    connection.execute(_CLAIM, {**values, "claimed_at": now})
    return str(find_owner(connection, source_key))

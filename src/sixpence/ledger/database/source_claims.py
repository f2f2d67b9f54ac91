"""Claims: an outside event (a payment, a referral) belongs to one account, however often it is reported.

A claim is committed before the grant with the same key, so the event is granted once over all accounts (invariant 11).
Not here: what the event grants.
"""

from sqlalchemy import Connection, select, text

from sixpence.core.values.bounds import account_no
from sixpence.ledger.database.tables import source_claims

# The prefix of the grant's idempotency key. It has a control character, so a caller's key cannot have it.
SOURCE_PREFIX = "source\x1f"

# A concurrent second claim waits for the first one's commit, and then inserts nothing.
_CLAIM = text(
    """
    INSERT INTO source_claims (source_key, account_no, account_id, claimed_at)
    VALUES (:source_key, :account_no, :account_id, :claimed_at) ON CONFLICT DO NOTHING
    """
)


def find_owner(connection: Connection, source_key: str) -> str | None:
    """The id of the account that claimed the event; None for an unclaimed event."""
    owner = connection.scalar(select(source_claims.c.account_id).where(source_claims.c.source_key == source_key))
    return None if owner is None else str(owner)


def claim(connection: Connection, source_key: str, account_id: str, now: int) -> str:
    """Claim the event for the account unless another has it; returns the id of the account that has it.

    Run it in a transaction of its own (`Ledger.write`). `now` is microseconds.
    """
    values = {"source_key": source_key, "account_no": account_no(account_id), "account_id": account_id}
    connection.execute(_CLAIM, {**values, "claimed_at": now})
    return str(find_owner(connection, source_key))

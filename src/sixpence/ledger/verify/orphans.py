"""Faults that no single account shows: orphaned holds, keys and source events used twice, clocks ahead.

Each check is one statement over all accounts, with a limit. Not here: the verification of one account (`account`).
"""

from collections.abc import Iterator
from itertools import islice

from sqlalchemy import Connection, text

from sixpence.core.values.bounds import account_no
from sixpence.core.values.instant import INSTANT_MAX, SECOND, to_wire
from sixpence.ledger.database.account_numbers import ATTEMPTS_MAX
from sixpence.ledger.database.source_claims import SOURCE_PREFIX
from sixpence.ledger.verify.raw_rows import Scan

# Servers' clocks differ by less. Beyond it, allowances and expiries of the account come late (invariant 12).
CLOCK_AHEAD_MAX = 60 * SECOND

_ORPHANED_HOLDS = text(
    """
    SELECT h.account_no, h.seq FROM credit_holds AS h LEFT JOIN credit_transactions AS t
        ON t.account_no = h.account_no AND t.seq = h.seq AND t.kind = 'hold'
    WHERE t.seq IS NULL ORDER BY h.account_no, h.seq LIMIT :most
    """
)
_KEYS_USED_TWICE = text(
    """
    SELECT account_no, idempotency_key FROM credit_transactions WHERE idempotency_key IS NOT NULL
    GROUP BY account_no, idempotency_key HAVING count(*) > 1 ORDER BY account_no LIMIT :most
    """
)
# An event has one claim. If it was granted to two accounts, at least one of them is not the claim's.
_GRANTS_WITHOUT_CLAIM = text(
    """
    SELECT t.account_id, t.seq, t.idempotency_key, c.account_id AS claimed_by FROM credit_transactions AS t
        LEFT JOIN source_claims AS c ON c.source_key = substr(t.idempotency_key, :behind)
    WHERE t.idempotency_key >= :first AND t.idempotency_key < :beyond
        AND (c.account_id IS NULL OR c.account_id <> t.account_id)
    ORDER BY t.account_no, t.seq LIMIT :most
    """
)
_SOURCE_KEYS = {
    "behind": len(SOURCE_PREFIX) + 1,
    "first": SOURCE_PREFIX,
    "beyond": SOURCE_PREFIX[:-1] + chr(ord(SOURCE_PREFIX[-1]) + 1),
}
_CLAIMS = """
    SELECT c.source_key, c.account_no, c.account_id, c.claimed_at, a.account_no FROM source_claims AS c
        LEFT JOIN credit_accounts AS a ON a.account_no = c.account_no AND a.account_id = c.account_id
    ORDER BY c.source_key
    """
_FIND_ACCOUNT = "SELECT 1 FROM credit_accounts WHERE account_no = ? AND account_id = ?"
# Only valid instants: SQLite stores any value in any column, and the account's verification reports invalid ones.
_ACCOUNTS_AHEAD = text(
    """
    SELECT account_id, last_at FROM credit_accounts WHERE last_at BETWEEN :earliest AND :calendar_end
    ORDER BY account_no LIMIT :most
    """
)
_CLOCKS = {
    "sqlite": text("SELECT CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER)"),
    "postgresql": text("SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint"),
}


def list_orphans(connection: Connection, scan: Scan, *, most: int) -> list[str]:
    """The faults between accounts, in words; at most `most` of each kind."""
    limit = {"most": most}
    return [
        *(
            f"hold {seq} of account number {number} was never placed"
            for number, seq in connection.execute(_ORPHANED_HOLDS, limit)
        ),
        *(
            f"account number {number} has two transactions of the key {key!r:.80}"
            for number, key in connection.execute(_KEYS_USED_TWICE, limit)
        ),
        *(
            f"account '{name}': transaction {seq} grants for the source key {key.removeprefix(SOURCE_PREFIX)!r:.80}, "
            + ("which nobody has claimed" if claimed_by is None else f"which account '{claimed_by}' has claimed")
            for name, seq, key, claimed_by in connection.execute(_GRANTS_WITHOUT_CLAIM, {**_SOURCE_KEYS, **limit})
        ),
        *islice(_claim_faults(scan), most),
    ]


def list_clocks_ahead(connection: Connection, *, most: int) -> list[str]:
    """The accounts whose last transaction is more than a minute ahead of the database's clock, in words."""
    now = int(connection.scalar(_CLOCKS[connection.dialect.name]) or 0)
    wanted = {"earliest": now + CLOCK_AHEAD_MAX + 1, "calendar_end": INSTANT_MAX, "most": most}
    return [
        f"account '{name}': its last transaction, of {to_wire(last_at)}, is {(last_at - now) // SECOND} seconds ahead "
        "of the database's clock; until then nothing falls due in this account"
        for name, last_at in connection.execute(_ACCOUNTS_AHEAD, wanted)
    ]


def _claim_faults(scan: Scan) -> Iterator[str]:
    """The claims without an account, with a number that does not follow from the account's id, or with a wrong time."""
    for key, number, name, claimed_at, found in scan.stream(_CLAIMS):
        if number != _first_number(name):
            yield f"the claim of the source key {key!r:.80} names number {number}, which is not that of '{name}'"
        elif found is None and not _account_exists(scan, name):
            yield f"the claim of the source key {key!r:.80} is of account '{name}', which does not exist"
        if not isinstance(claimed_at, int) or not 0 <= claimed_at <= INSTANT_MAX:
            yield f"the claim of the source key {key!r:.80} has an invalid time: {claimed_at!r:.60}"


def _account_exists(scan: Scan, name: str) -> bool:
    """Whether the account has any of the numbers that its id allows; a claim stores the first one."""
    return any(scan.rows(_FIND_ACCOUNT, (account_no(name, attempt), name)) for attempt in range(ATTEMPTS_MAX))


def _first_number(name: object) -> int | None:
    try:
        return account_no(str(name))
    except UnicodeEncodeError:
        return None

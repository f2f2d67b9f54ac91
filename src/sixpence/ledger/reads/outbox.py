"""The outbox: one relay at a time reads its rows in the order of their ids, and deletes them in the same transaction.

Every statement is here for both databases. Not here: adding up usage (`usage`), and the relay's batch sizes and pauses
(`sixpence.ledger.relay`).
"""

from collections.abc import Iterator, Mapping, Sequence

import msgspec
from sqlalchemy import Connection, func, select, text

from sixpence.ledger.database.account_numbers import load_by_id
from sixpence.ledger.database.tables import outbox

# This many documents of the outbox are in memory at once.
FETCH_SIZE = 100
# The oldest row is searched among this many. Ids follow the clock closely, but not exactly.
SCANNED_ROWS_MAX = 10_000
# Any number works, as long as every version of Sixpence uses the same one.
RELAY_LOCK_ID = 600_003


class OutboxRow(msgspec.Struct, frozen=True, gc=False):
    """One batch of the writer: [account id, first seq, last seq] for each account that it changed."""

    id: int
    touched: tuple[tuple[str, int, int], ...]


class _NumberedAccount(msgspec.Struct, frozen=True, gc=False):
    account_no: int
    account_id: str


# The lock lasts until the transaction ends. It belongs to this outbox: another schema's outbox has its own lock. The
# settings fix the query plans, as the writer's do.
_LOCK = text(
    f"""
    SELECT pg_try_advisory_xact_lock({RELAY_LOCK_ID}, 'outbox'::regclass::oid::int),
           set_config('lock_timeout', '2s', true), set_config('jit', 'off', true),
           set_config('enable_seqscan', 'off', true), set_config('enable_hashjoin', 'off', true),
           set_config('enable_mergejoin', 'off', true)
    """
)
# On PostgreSQL ids are not committed in their order: a row is not readable while a transaction that may have written a
# lower id is still running. A writer's transaction number in the future means a restored backup of another server. Such
# a row is readable at once.
_FETCH = {
    "sqlite": text("SELECT id, touched, true FROM outbox WHERE id > :above ORDER BY id LIMIT :most"),
    "postgresql": text(
        """
        SELECT id, touched, (
            written_by >= pg_snapshot_xmin(pg_current_snapshot())::text::bigint
            AND written_by < pg_snapshot_xmax(pg_current_snapshot())::text::bigint
        ) IS NOT TRUE FROM outbox WHERE id > :above ORDER BY id LIMIT :most
        """
    ),
}
_IN_NUMBERS = {
    "sqlite": "IN (SELECT value FROM json_each(:numbers))",
    "postgresql": "= ANY(ARRAY(SELECT json_array_elements_text(CAST(:numbers AS json)))::bigint[])",
}
_DELETE = {dialect: text(f"DELETE FROM outbox WHERE id {in_numbers}") for dialect, in_numbers in _IN_NUMBERS.items()}
_SELECT_ACCOUNTS = {
    dialect: text(f"SELECT account_no, account_id FROM credit_accounts WHERE account_no {in_numbers}")
    for dialect, in_numbers in _IN_NUMBERS.items()
}
# The age of the oldest transaction that may still commit a write. PostgreSQL hides the transactions of other roles.
_OLDEST_TRANSACTION_AGE = text(
    """
    SELECT (extract(epoch FROM max(clock_timestamp() - xact_start)) * 1000000)::bigint
    FROM pg_stat_activity WHERE datname = current_database() AND backend_xid IS NOT NULL
    """
)


def try_lock_outbox(connection: Connection) -> bool:
    """Lock the outbox until the transaction ends; False if another relay has the lock.

    On SQLite the transaction itself is exclusive.
    """
    return connection.dialect.name == "sqlite" or bool(connection.execute(_LOCK).scalar())


def has_outbox_rows(connection: Connection) -> bool:
    """Whether the outbox has any rows."""
    return connection.execute(select(outbox.c.id).limit(1)).first() is not None


def read_outbox(connection: Connection) -> Iterator[OutboxRow]:
    """Stream the rows in the order of their ids, up to the first that is not readable yet."""
    above = 0
    while True:
        values = {"above": above, "most": FETCH_SIZE}
        fetched = connection.execute(_FETCH[connection.dialect.name], values).all()
        for number, touched, readable in fetched:
            if not readable:
                return
            yield OutboxRow(number, _decode_touched(touched))
        if len(fetched) < FETCH_SIZE:
            return
        above = fetched[-1][0]


def find_account_numbers(connection: Connection, account_ids: Sequence[str]) -> dict[str, int]:
    """The numbers of these accounts by id; removed accounts are left out."""

    def load(by_no: Mapping[int, str]) -> dict[int, _NumberedAccount]:
        found = connection.execute(_SELECT_ACCOUNTS[connection.dialect.name], {"numbers": _json(list(by_no))})
        return {number: _NumberedAccount(number, account_id) for number, account_id in found}

    return {account_id: account.account_no for account_id, account in load_by_id(account_ids, load).items()}


def delete_outbox_rows(connection: Connection, ids: Sequence[int]) -> None:
    """Delete these rows, once they were read."""
    connection.execute(_DELETE[connection.dialect.name], {"numbers": _json(ids)})


def read_complete_until(connection: Connection, now: int) -> int:
    """The instant before which a relay has read everything recorded; `now` was read on this connection before.

    Call it before reading the sums: they are then as new as this instant, or newer. On PostgreSQL running transactions
    count as unread. On SQLite a batch that is being committed at this moment is not seen.
    """
    age = None if connection.dialect.name == "sqlite" else connection.scalar(_OLDEST_TRANSACTION_AGE)
    oldest_rows = select(outbox.c.recorded_at).order_by(outbox.c.id).limit(SCANNED_ROWS_MAX).subquery()
    oldest_recorded_at = connection.scalar(select(func.min(oldest_rows.c.recorded_at)))
    return min(now - (age or 0), now if oldest_recorded_at is None else oldest_recorded_at)


_decode_touched = msgspec.json.Decoder(tuple[tuple[str, int, int], ...]).decode


def _json(numbers: Sequence[int]) -> str:
    return msgspec.json.encode(numbers).decode()

"""Reading the outbox: in the order of its ids, by one relay at a time, and deleted in the transaction that has read it.

Each statement stands here for both databases. Not here: what becomes of what was read (`usage`), and when a relay works
and how much at once (`sixpence.ledger.relay`).
"""

from collections.abc import Iterator, Mapping, Sequence

import msgspec
from sqlalchemy import Connection, func, select, text

from sixpence.ledger.database.account_numbers import load_by_id
from sixpence.ledger.database.tables import outbox

# So many of the outbox's documents are in memory at once.
FETCHED_AT_ONCE = 100
# How far the oldest instant is looked for: ids are given nearly in the order of the clock.
LOOKED_AT_MAX = 10_000
# Any number does, as long as every version of Sixpence takes the same one.
RELAY_LOCK = 600_003


class OutboxRow(msgspec.Struct, frozen=True, gc=False):
    """A batch that no relay has read: [account id, first seq, last seq] of every account it touched."""

    id: int
    touched: tuple[tuple[str, int, int], ...]


class _Known(msgspec.Struct, frozen=True, gc=False):
    account_no: int
    account_id: str


# The lock is held to the transaction's end and belongs to this outbox: one in another schema has its own. The relay
# knows its plans, as the writer does.
_BEGIN = text(
    f"""
    SELECT pg_try_advisory_xact_lock({RELAY_LOCK}, 'outbox'::regclass::oid::int),
           set_config('lock_timeout', '2s', true), set_config('jit', 'off', true),
           set_config('enable_seqscan', 'off', true), set_config('enable_hashjoin', 'off', true),
           set_config('enable_mergejoin', 'off', true)
    """
)
# On PostgreSQL numbers are not committed in their order: a row waits while whoever may come before it is running. One
# written by a transaction that is still to come is of another server, whose backup this is, and waits for nobody.
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
_AMONG = {
    "sqlite": "IN (SELECT value FROM json_each(:numbers))",
    "postgresql": "= ANY(ARRAY(SELECT json_array_elements_text(CAST(:numbers AS json)))::bigint[])",
}
_FORGET = {dialect: text(f"DELETE FROM outbox WHERE id {among}") for dialect, among in _AMONG.items()}
_KNOWN = {
    dialect: text(f"SELECT account_no, account_id FROM credit_accounts WHERE account_no {among}")
    for dialect, among in _AMONG.items()
}
# How long ago the oldest transaction began that may still commit something; of other roles nothing is said.
_RUNNING_FOR = text(
    """
    SELECT (extract(epoch FROM max(clock_timestamp() - xact_start)) * 1000000)::bigint
    FROM pg_stat_activity WHERE datname = current_database() AND backend_xid IS NOT NULL
    """
)


def may_relay(connection: Connection) -> bool:
    """Whether no other relay reads this outbox until the transaction ends; on SQLite whoever has begun is alone."""
    return connection.dialect.name == "sqlite" or bool(connection.execute(_BEGIN).scalar())


def has_outbox(connection: Connection) -> bool:
    """Whether there is anything to read."""
    return connection.execute(select(outbox.c.id).limit(1)).first() is not None


def read_outbox(connection: Connection) -> Iterator[OutboxRow]:
    """The rows in the order of their ids, for as long as they are asked for, up to the first that has to wait."""
    above = 0
    while True:
        values = {"above": above, "most": FETCHED_AT_ONCE}
        fetched = connection.execute(_FETCH[connection.dialect.name], values).all()
        for number, touched, readable in fetched:
            if not readable:
                return
            yield OutboxRow(number, _decode_touched(touched))
        if len(fetched) < FETCHED_AT_ONCE:
            return
        above = fetched[-1][0]


def account_numbers(connection: Connection, account_ids: Sequence[str]) -> dict[str, int]:
    """The numbers of these accounts; those that are not there any more are left out."""

    def load(by_no: Mapping[int, str]) -> dict[int, _Known]:
        found = connection.execute(_KNOWN[connection.dialect.name], {"numbers": _json(list(by_no))})
        return {number: _Known(number, account_id) for number, account_id in found}

    return {account_id: known.account_no for account_id, known in load_by_id(account_ids, load).items()}


def forget_outbox(connection: Connection, ids: Sequence[int]) -> None:
    """Delete these rows, which have been read."""
    connection.execute(_FORGET[connection.dialect.name], {"numbers": _json(ids)})


def read_until(connection: Connection, now: int) -> int:
    """The instant before which everything recorded has been read; `now` was read on this connection before.

    Ask before looking at what was made of it, which is then as new or newer. On PostgreSQL what is being committed
    counts as not read; of SQLite a batch that is being committed at this very moment is not known.
    """
    running_for = None if connection.dialect.name == "sqlite" else connection.scalar(_RUNNING_FOR)
    oldest = select(outbox.c.recorded_at).order_by(outbox.c.id).limit(LOOKED_AT_MAX).subquery()
    left = connection.scalar(select(func.min(oldest.c.recorded_at)))
    return min(now - (running_for or 0), now if left is None else left)


_decode_touched = msgspec.json.Decoder(tuple[tuple[str, int, int], ...]).decode


def _json(numbers: Sequence[int]) -> str:
    return msgspec.json.encode(numbers).decode()

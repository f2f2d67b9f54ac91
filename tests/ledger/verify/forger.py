"""Forges ledgers: changes an account's rows and recomputes its chain, balances and holds, so that everything adds up.

Only the audit can find such a forgery. Not here: the forgeries (test_forged.py).
"""

from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from sixpence.core.account.account import Account
from sixpence.core.account.apply import apply
from sixpence.core.account.chain import row_hash
from sixpence.core.account.movement import Allocation, Movement, net
from sixpence.core.account.transaction import (
    FIRST_HEAD,
    Detail,
    Transaction,
    seq_of,
    transaction_id,
    write_allocations,
    write_detail,
)
from sixpence.ledger.database.rows import account_to_row, hold_to_row, transaction_from_row
from tests.ledger.databases import rows, run, run_verify, verify_clean
from tests.ledger.writer.worker_driver import ADA

NO_DETAIL = Detail()
Forgery = Callable[[list[Transaction]], list[Transaction]]


def forge(url: str, forgery: Forgery) -> None:
    """Replaces Ada's ledger by the forged one; raises if the fold itself refuses it."""
    before = [
        transaction_from_row(row)
        for row in rows(url, "SELECT * FROM credit_transactions WHERE account_id = :id ORDER BY seq", {"id": ADA})
    ]
    account = Account(account_no=before[0].account_no, account_id=ADA)
    after = []
    for row in forgery(list(before)):
        after.append(_rewritten(account, row))
        apply(account, after[-1])
    _replace(url, "credit_transactions", after)
    _replace(url, "credit_accounts", [account_to_row(account)])
    _replace(url, "credit_holds", [hold_to_row(account.account_no, hold) for hold in account.holds.values()])
    _update_outbox(url, account.seq)


def another(
    after: Transaction,
    kind: str,
    *moves: tuple[str, Movement, int],
    detail: Detail = NO_DETAIL,
    **fields: Any,
) -> Transaction:
    """One more row after this one, at the same instant by default."""
    plain = dict.fromkeys(("feature_used", "credits_consumed", "idempotency_key", "fingerprint", "metadata"))
    return msgspec.structs.replace(
        after,
        seq=after.seq + 1,
        kind=kind,
        detail=write_detail(detail),
        allocations=write_allocations(tuple(Allocation(*move) for move in moves)),
        **{**plain, "metadata_digest": None, **fields},
    )


def difference_after(url: str, forgery: Forgery) -> str:
    """The difference that verify finds after the forgery; before it the ledger is clean."""
    verify_clean(url)
    forge(url, forgery)
    (difference,) = run_verify(url).differences
    return difference.removeprefix(f"account '{ADA}': ")


def consume(after: Transaction, grant_id: str, amount: int = 1, **fields: object) -> Transaction:
    """A use of sketch that takes from this grant."""
    return another(
        after,
        "consume",
        (grant_id, "consumed", -amount),
        detail=Detail(catalog_version=1),
        **{"feature_used": "sketch", "credits_consumed": amount, **fields},
    )


def next_row_id(after: Transaction, at: int | None = None) -> str:
    """The id that the next row will have, by default at the same instant."""
    return transaction_id(after.account_no, after.seq + 1, after.created_at if at is None else at)


def _rewritten(account: Account, row: Transaction) -> Transaction:
    moves, about = row.read_allocations(), row.read_detail().about
    amount, held, total = net(moves)
    unhashed = msgspec.structs.replace(
        row,
        id=transaction_id(row.account_no, row.seq, row.created_at),
        amount=amount,
        balance_after=account.remaining + amount,
        total_after=account.total + total,
        held_after=account.held + held,
        about_seq=None if about is None else seq_of(about),
    )
    return msgspec.structs.replace(unhashed, hash=row_hash(account.head or FIRST_HEAD, unhashed))


def _update_outbox(url: str, last: int) -> None:
    """The pending rows of Ada's in the outbox end with her last row."""
    batches = [
        (number, msgspec.json.decode(touched)) for number, touched in rows(url, "SELECT id, touched FROM outbox")
    ]
    firsts = [first for _, touched in batches for name, first, _ in touched if name == ADA]
    for number, touched in batches:
        document = msgspec.json.encode([span for span in touched if span[0] != ADA]).decode()
        run(url, "UPDATE outbox SET touched = :touched WHERE id = :id", {"touched": document, "id": number})
    if firsts:
        document = msgspec.json.encode([(ADA, min(firsts), last)]).decode()
        run(url, "INSERT INTO outbox (touched, recorded_at) VALUES (:touched, 1)", {"touched": document})


def _replace(url: str, table: str, values: Iterable[msgspec.Struct]) -> None:
    run(url, f"DELETE FROM {table}")
    for value in values:
        fields = msgspec.structs.asdict(value)
        run(
            url,
            f"INSERT INTO {table} ({', '.join(fields)}) VALUES ({', '.join(f':{name}' for name in fields)})",
            fields,
        )

"""A small statement with its proof: an account's rows, a signed checkpoint and the path there.

Not here: the tests that change it, and proofs from a database (tests/service/operations/test_proof.py).
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from sixpence.core.account.account import Account
from sixpence.core.account.commands import Command, Consume, EnsureAccount, GrantCredits, Key
from sixpence.core.account.transaction import FIRST_HEAD, Transaction
from sixpence.core.proof import merkle
from sixpence.core.proof.checkpoint import NO_PREVIOUS, Checkpoint, Head, pack_head
from sixpence.core.proof.statement_document import read_document
from sixpence.core.proof.statement_proof import VerifiedStatement, check, prove
from sixpence.core.reports.statement import Figures, Period, Statement
from sixpence.core.rules.decide import decide
from sixpence.ledger.checkpoints.signing import SigningKey, is_signed
from sixpence.service.results.statements import CreditStatement
from tests.core.case_table import ACCOUNT_ID, ACCOUNT_NO, PRICED_BY, read_instant

KEY = SigningKey("ab" * 32)
STEPS: Sequence[tuple[str, Command, Key | None]] = [
    ("0", EnsureAccount(), None),
    ("1", GrantCredits(amount=9, category="paid", reason="Büro"), Key("k1", bytes(32))),
    ("2", Consume(feature="video", generation_id="g-1", metadata='{"a":"é"}'), None),
    ("3", Consume(feature="sketch"), None),
    ("4", Consume(feature="sketch"), None),
]


def ledger() -> list[Transaction]:
    """Five transactions, a second apart."""
    account, rows = Account(account_no=ACCOUNT_NO, account_id=ACCOUNT_ID), list[Transaction]()
    for at, command, key in STEPS:
        decision = decide(account, command, clock=read_instant(at), priced_by=PRICED_BY, key=key)
        account = decision.account
        rows += decision.rows
    return rows


def statement(since: str, until: str, *, signed_up_to: int, last: int) -> dict[str, Any]:
    """The document of the account's statement: its checkpoint covers the first rows, its proof ends at `last`."""
    rows = ledger()
    period = period_of(rows, read_instant(since), read_instant(until))
    checkpoint, place, path = signed(rows[signed_up_to - 1])
    first = max(1, min(period.opening.version, signed_up_to))
    proof = prove(
        period,
        rows[first - 1 : last],
        previous=FIRST_HEAD if first == 1 else rows[first - 2].hash,
        checkpoint=checkpoint,
        place=place,
        path=path,
    )
    shown = rows[period.opening.version : period.closing.version]
    return to_document(Statement.of(period, shown, proof))


def period_of(rows: Sequence[Transaction], since: int, until: int) -> Period:
    """The period of a statement over these rows."""
    opening, closing = (
        Figures.after(next((row for row in reversed(rows) if row.created_at < instant), None))
        for instant in (since, until)
    )
    return Period(account_id=ACCOUNT_ID, since=since, until=until, opening=opening, closing=closing)


def signed(head: Transaction) -> tuple[Checkpoint, int, list[bytes]]:
    """A checkpoint over this account and two others, with the account's place and path in it."""
    heads = [Head(1, 5, b"b" * 32), Head(head.account_no, head.seq, head.hash), Head(2**63 - 1, 1, b"c" * 32)]
    leaves = [merkle.leaf_hash(pack_head(each)) for each in heads]
    unsigned = Checkpoint(
        format=1,
        number=1,
        made_at="2026-11-25T09:30:00.000000Z",
        accounts=3,
        transactions=6 + head.seq,
        root=merkle.root_of(leaves).hex(),
        previous=NO_PREVIOUS,
        public_key=KEY.public_key,
        signature="",
    )
    checkpoint = msgspec.structs.replace(unsigned, signature=KEY.sign(unsigned.signed_bytes()))
    return checkpoint, 1, merkle.path_to(leaves, 1)


def to_document(made: Statement) -> dict[str, Any]:
    """The document of a statement."""
    document: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(CreditStatement.of(made)))
    return document


def checked(document: dict[str, Any] | bytes) -> VerifiedStatement:
    """The statement that the document's proof confirms."""
    read = read_document(document) if isinstance(document, bytes) else document
    return check(read, is_signed=is_signed, to_document=to_document)

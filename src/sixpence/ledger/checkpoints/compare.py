"""Comparing the ledger with checkpoints: whether every account's chain still goes through where it stood then.

A cut-off tail, a rewritten chain, an account that is gone and an older copy of the database each give a difference in
plain words. Repairs nothing. Not here: whether the ledger is right in itself (`verify`).
"""

from collections import deque
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import islice

import msgspec
from sqlalchemy import Connection, func, select

from sixpence.core.errors import InvalidInputError
from sixpence.core.proof import merkle
from sixpence.core.proof.checkpoint import (
    NO_PREVIOUS,
    Checkpoint,
    Head,
    leaf_hashes,
    read_checkpoint,
    unpack_heads,
)
from sixpence.core.values.instant import from_wire
from sixpence.ledger.checkpoints import storage
from sixpence.ledger.checkpoints.signing import is_signed
from sixpence.ledger.checkpoints.storage import Chunk
from sixpence.ledger.database.snapshot import snapshot
from sixpence.ledger.database.tables import credit_accounts, credit_transactions

LOOKED_UP_AT_ONCE = 512
# So many accounts are told of that are not what one checkpoint says.
LOST_MAX = 100


class Given(msgspec.Struct, frozen=True):
    """A checkpoint that was kept elsewhere, under the name `source`; `heads` are its chunks, None where it has none."""

    source: str
    checkpoint: Checkpoint
    heads: Iterable[bytes] | None = None


class Compared(msgspec.Struct):
    """What came of comparing: how many checkpoints the ledger has, differences in plain words, notes that are none.

    `compared` is how many checkpoints, its own or given, the accounts were compared with.
    """

    checkpoints: int = 0
    differences: list[str] = []
    notes: list[str] = []
    compared: int = 0


def compare(connection: Connection, given: Sequence[Given] = (), *, trusted: Collection[str] = ()) -> Compared:
    """Compare the ledger with the newest checkpoint that it keeps itself, whatever is given, and with those given.

    Only a public key among `trusted` may have signed; where none are named, a note says whose word is taken.
    """
    compared = Compared()
    with snapshot(connection):
        chain = _read_chain(connection)
        compared.checkpoints = len(chain.digests)
        compared.differences += [] if chain.fault is None else [chain.fault]
        told = _compare_given(connection, compared, chain, given)
        for kept in reversed(chain.recent):
            own = differences_from(connection, kept, most=LOST_MAX if kept is chain.newest else 0)
            compared.differences += (difference for difference in own if difference not in told)
    _judge_keys(compared, chain, given, trusted)
    return compared


def differences_from(
    connection: Connection, checkpoint: Checkpoint, heads: Iterable[bytes] | None = None, *, most: int = LOST_MAX
) -> list[str]:
    """In what the ledger is not what the checkpoint says, in words: of accounts, at most so many.

    The heads are those that the ledger keeps of it, unless others are given: only those that were signed lead to its
    root, and of any others the accounts are not believed.
    """
    name = named(checkpoint)
    kept = storage.list_chunks(connection, checkpoint.number) if heads is None else map(_unfiled, heads)
    roots, accounts, transactions = [], 0, 0
    lost: list[str] = []
    misfiled: str | None = None
    for place, chunk in enumerate(kept):
        try:
            unpacked = unpack_heads(chunk.heads)
        except ValueError as error:
            return [f"{name}: its heads cannot be read: {error}"]
        roots.append(merkle.root_of(leaf_hashes(chunk.heads)))
        accounts, transactions = accounts + len(unpacked), transactions + sum(head.seq for head in unpacked)
        if heads is None and not _is_filed_well(chunk, place, roots[-1], unpacked):
            misfiled = misfiled or f"{name}: part {place + 1} of its heads is filed under what is not its own"
        lost += islice(_lost_of(connection, unpacked, name), most - len(lost))
    if (merkle.root_of(roots).hex(), accounts) != (checkpoint.root, checkpoint.accounts):
        return [f"{name}: its heads, {accounts} of {checkpoint.accounts}, are not those that were signed"]
    if transactions != checkpoint.transactions:
        return [f"{name}: it says {checkpoint.transactions} transactions, and its heads say {transactions}"]
    return lost if misfiled is None else [misfiled, *lost]


def named(checkpoint: Checkpoint) -> str:
    """A checkpoint as a person is told of it."""
    return f"checkpoint {checkpoint.number} of {checkpoint.made_at}"


class _Chain(msgspec.Struct):
    """The checkpoints of the ledger: their digests by number, who signed, and the first thing that is wrong.

    `recent` are those whose heads have to be kept.
    """

    digests: dict[int, str] = {}
    signers: dict[str, int] = {}
    recent: deque[Checkpoint] = msgspec.field(default_factory=lambda: deque(maxlen=storage.KEPT))
    fault: str | None = None

    @property
    def newest(self) -> Checkpoint | None:
        """The last one that can be read."""
        return self.recent[-1] if self.recent else None


def _read_chain(connection: Connection) -> _Chain:
    chain = _Chain()
    for number, made_at, document in storage.list_documents(connection):
        try:
            read = read_checkpoint(document)
            agrees = (read.number, from_wire("made_at", read.made_at)) == (number, made_at)
        except InvalidInputError as error:
            chain.fault = chain.fault or f"checkpoint {number!r:.20} of the ledger {error.problem}"
            continue
        before = NO_PREVIOUS if chain.newest is None else chain.newest.digest()
        expected = 1 if chain.newest is None else chain.newest.number + 1
        if not agrees:
            told: str | None = "it is filed under another number or time than its own"
        elif number != expected:
            told = f"checkpoint {expected} should come before it, and is gone"
        elif read.previous != before:
            told = "it does not follow the checkpoint before it"
        else:
            told = read.fault(is_signed)
        chain.fault = chain.fault or (None if told is None else f"{named(read)}: {told}")
        chain.digests[number] = read.digest()
        chain.signers.setdefault(read.public_key, number)
        chain.recent.append(read)
    return chain


def _compare_given(connection: Connection, compared: Compared, chain: _Chain, given: Sequence[Given]) -> set[str]:
    """Add in what the ledger does not bear out what was kept elsewhere; what was told of the ledger's own accounts."""
    told: set[str] = set()
    through = {chain.newest} - {None}
    for each in given:
        checkpoint, source = each.checkpoint, each.source
        differences = _differences_of_document(checkpoint, chain)
        if checkpoint.fault(is_signed) is not None:
            pass
        elif each.heads is not None or checkpoint in chain.recent:
            of_accounts = differences_from(connection, checkpoint, each.heads)
            through.add(checkpoint)
            told.update(of_accounts)
            differences += of_accounts
        elif not differences:
            compared.notes.append(
                f"{source}: {named(checkpoint)} has its place in the chain of checkpoints; its heads are kept neither "
                "in the file nor in the ledger, so accounts were compared with newer ones only"
            )
        compared.differences += (f"{source}: {difference}" for difference in differences)
    compared.compared = len(through)
    return told


def _differences_of_document(checkpoint: Checkpoint, chain: _Chain) -> list[str]:
    """Whether the document is signed, and is the very one that the ledger has."""
    name, there = named(checkpoint), chain.digests.get(checkpoint.number)
    fault = checkpoint.fault(is_signed)
    if fault is not None:
        return [f"{name}: {fault}"]
    if there is None:
        return [f"{name} is not in the ledger: an older copy was restored, or the file is of another ledger"]
    if there != checkpoint.digest():
        return [f"{name} is not the one that the ledger has: it was restored or rewritten, and signed anew since"]
    return []


def _judge_keys(compared: Compared, chain: _Chain, given: Sequence[Given], trusted: Collection[str]) -> None:
    signers = dict(chain.signers)
    for each in given:
        signers.setdefault(each.checkpoint.public_key, each.checkpoint.number)
    if trusted and not signers:
        compared.notes.append("there is no checkpoint, so nothing that is signed bears this ledger out")
    if trusted:
        compared.differences += (
            f"checkpoint {number} is signed with the public key {key}, which is none of those that are trusted"
            for key, number in signers.items()
            if key not in trusted
        )
        return
    from_outside = {each.checkpoint.public_key for each in given}
    compared.notes += (
        f"checkpoints are signed with the public key {key}, which only "
        f"{'the given file and the ledger itself name' if key in from_outside else 'the ledger itself names'}: "
        "compare it with the one you know, or name that with --public-key"
        for key in signers
    )


def _unfiled(heads: bytes) -> Chunk:
    """Heads of a file, in which nothing else stands."""
    return Chunk(0, 0, b"", heads)


def _is_filed_well(chunk: Chunk, place: int, root: bytes, heads: Sequence[Head]) -> bool:
    """Whether what leads to a chunk, and from it to the root, is the chunk's own."""
    first = heads[0].account_no if heads else None
    return (chunk.chunk, chunk.first_account_no, chunk.root) == (place, first, root)


def _lost_of(connection: Connection, heads: Sequence[Head], name: str) -> Iterator[str]:
    for first in range(0, len(heads), LOOKED_UP_AT_ONCE):
        wanted = heads[first : first + LOOKED_UP_AT_ONCE]
        hashes = storage.hashes_at(connection, wanted)
        for head in wanted:
            if hashes.get(head.account_no) != head.hash:
                yield _lost(connection, head, name, is_there=head.account_no in hashes)


def _lost(connection: Connection, head: Head, name: str, *, is_there: bool) -> str:
    accounts, rows = credit_accounts.c, credit_transactions.c
    account_id = connection.scalar(select(accounts.account_id).where(accounts.account_no == head.account_no))
    account = f"account number {head.account_no}" if account_id is None else f"account '{account_id}'"
    if is_there:
        return f"{account}: transaction {head.seq} is not the one that {name} covers: its ledger was rewritten"
    last = connection.scalar(select(func.max(rows.seq)).where(rows.account_no == head.account_no))
    if last is None:
        return f"{account}: {name} covers {head.seq} transactions of it, and there are none: the account was removed"
    return (
        f"{account}: {name} covers its transactions up to {head.seq}, and they end at {last}: "
        "the newest were removed, or an older copy of the database was restored"
    )

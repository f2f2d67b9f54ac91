"""Comparing the ledger with checkpoints: every account's chain must still contain the hash that was signed.

A cut-off tail, a rewritten chain, a removed account and an older copy of the database each give a difference in words.
Repairs nothing. Not here: whether the ledger itself is consistent (`sixpence.ledger.verify`).
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

HASHES_AT_ONCE = 512
# For each checkpoint, at most this many changed accounts are reported.
CHANGED_ACCOUNTS_MAX = 100


class ExternalCheckpoint(msgspec.Struct, frozen=True):
    """A checkpoint stored outside the ledger, in `source`; `heads` are the chunks of its heads, None without heads."""

    source: str
    checkpoint: Checkpoint
    heads: Iterable[bytes] | None = None


class Comparison(msgspec.Struct):
    """The result: how many checkpoints the ledger has, the differences in words, and notes, which are not differences.

    `compared` counts the checkpoints that the accounts were compared with, the ledger's and external ones.
    """

    checkpoints: int = 0
    differences: list[str] = []
    notes: list[str] = []
    compared: int = 0


def compare(
    connection: Connection, external: Sequence[ExternalCheckpoint] = (), *, trusted: Collection[str] = ()
) -> Comparison:
    """Compare the ledger with its own newest checkpoint and with the external ones.

    Only the public keys in `trusted` may have signed. Without trusted keys, a note names the keys that did.
    """
    comparison = Comparison()
    with snapshot(connection):
        chain = _read_chain(connection)
        comparison.checkpoints = len(chain.digests)
        comparison.differences += [] if chain.fault is None else [chain.fault]
        reported = _compare_external(connection, comparison, chain, external)
        for checkpoint in reversed(chain.recent):
            most = CHANGED_ACCOUNTS_MAX if checkpoint is chain.newest else 0
            own = list_differences(connection, checkpoint, most=most)
            comparison.differences += (difference for difference in own if difference not in reported)
    _check_keys(comparison, chain, external, trusted)
    return comparison


def list_differences(
    connection: Connection,
    checkpoint: Checkpoint,
    heads: Iterable[bytes] | None = None,
    *,
    most: int = CHANGED_ACCOUNTS_MAX,
) -> list[str]:
    """The differences between the ledger and the checkpoint, in words; at most `most` of them about accounts.

    Compares the given heads, by default those that the ledger has stored. Only the signed heads lead to the root of the
    checkpoint; for other heads that is the only difference, and accounts are not compared.
    """
    name = describe(checkpoint)
    chunks = storage.list_chunks(connection, checkpoint.number) if heads is None else map(_to_chunk, heads)
    roots, accounts, transactions = [], 0, 0
    changed: list[str] = []
    misfiled: str | None = None
    for place, chunk in enumerate(chunks):
        try:
            unpacked = unpack_heads(chunk.heads)
        except ValueError as error:
            return [f"{name}: its heads cannot be read: {error}"]
        roots.append(merkle.root_of(leaf_hashes(chunk.heads)))
        accounts, transactions = accounts + len(unpacked), transactions + sum(head.seq for head in unpacked)
        if heads is None and not _is_filed_correctly(chunk, place, roots[-1], unpacked):
            misfiled = misfiled or f"{name}: part {place + 1} of its heads has a wrong number, first account or root"
        changed += islice(_changed_accounts(connection, unpacked, name), most - len(changed))
    if (merkle.root_of(roots).hex(), accounts) != (checkpoint.root, checkpoint.accounts):
        return [f"{name}: its heads, {accounts} of {checkpoint.accounts}, are not those that were signed"]
    if transactions != checkpoint.transactions:
        return [f"{name}: it has {checkpoint.transactions} transactions, and its heads have {transactions}"]
    return changed if misfiled is None else [misfiled, *changed]


def describe(checkpoint: Checkpoint) -> str:
    """The checkpoint's name in messages."""
    return f"checkpoint {checkpoint.number} of {checkpoint.made_at}"


class _Chain(msgspec.Struct):
    """The checkpoints of the ledger: their digests by number, the public keys that signed, and the first fault.

    `recent` are those whose heads the ledger still has to have.
    """

    digests: dict[int, str] = {}
    signers: dict[str, int] = {}
    recent: deque[Checkpoint] = msgspec.field(default_factory=lambda: deque(maxlen=storage.CHECKPOINTS_WITH_HEADS_MAX))
    fault: str | None = None

    @property
    def newest(self) -> Checkpoint | None:
        """The last readable checkpoint."""
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
            fault: str | None = "it is stored under another number or time than its own"
        elif number != expected:
            fault = f"checkpoint {expected} should come before it, and is missing"
        elif read.previous != before:
            fault = "it does not follow the checkpoint before it"
        else:
            fault = read.fault(is_signed)
        chain.fault = chain.fault or (None if fault is None else f"{describe(read)}: {fault}")
        chain.digests[number] = read.digest()
        chain.signers.setdefault(read.public_key, number)
        chain.recent.append(read)
    return chain


def _compare_external(
    connection: Connection, comparison: Comparison, chain: _Chain, external: Sequence[ExternalCheckpoint]
) -> set[str]:
    """Add the differences from external checkpoints; returns those about accounts, so that none is reported twice."""
    reported: set[str] = set()
    compared_with = {chain.newest} - {None}
    for each in external:
        checkpoint, source = each.checkpoint, each.source
        differences = _differences_of_document(checkpoint, chain)
        if checkpoint.fault(is_signed) is not None:
            pass
        elif each.heads is not None or checkpoint in chain.recent:
            of_accounts = list_differences(connection, checkpoint, each.heads)
            compared_with.add(checkpoint)
            reported.update(of_accounts)
            differences += of_accounts
        elif not differences:
            comparison.notes.append(
                f"{source}: {describe(checkpoint)} is in the chain of checkpoints; neither the file nor the ledger has "
                "its heads, so accounts were compared with newer checkpoints only"
            )
        comparison.differences += (f"{source}: {difference}" for difference in differences)
    comparison.compared = len(compared_with)
    return reported


def _differences_of_document(checkpoint: Checkpoint, chain: _Chain) -> list[str]:
    """The fault of an unsigned document, or of one that is not the ledger's checkpoint of that number."""
    name, digest = describe(checkpoint), chain.digests.get(checkpoint.number)
    fault = checkpoint.fault(is_signed)
    if fault is not None:
        return [f"{name}: {fault}"]
    if digest is None:
        return [f"{name} is not in the ledger: an older copy was restored, or the file is of another ledger"]
    if digest != checkpoint.digest():
        return [f"{name} is not the one that the ledger has: it was restored or rewritten, and signed again since"]
    return []


def _check_keys(
    comparison: Comparison, chain: _Chain, external: Sequence[ExternalCheckpoint], trusted: Collection[str]
) -> None:
    signers = dict(chain.signers)
    for each in external:
        signers.setdefault(each.checkpoint.public_key, each.checkpoint.number)
    if trusted and not signers:
        comparison.notes.append("no checkpoint signs this ledger")
    if trusted:
        comparison.differences += (
            f"checkpoint {number} is signed with the public key {key}, which is not trusted"
            for key, number in signers.items()
            if key not in trusted
        )
        return
    external_keys = {each.checkpoint.public_key for each in external}
    comparison.notes += (
        f"checkpoints are signed with the public key {key}, which only "
        f"{'the given file and the ledger itself name' if key in external_keys else 'the ledger itself names'}: "
        "compare it with the one you know, or name that with --public-key"
        for key in signers
    )


def _to_chunk(heads: bytes) -> Chunk:
    """A chunk of heads from a file, which has nothing but the heads."""
    return Chunk(0, 0, b"", heads)


def _is_filed_correctly(chunk: Chunk, place: int, root: bytes, heads: Sequence[Head]) -> bool:
    """Whether the chunk's number, first account and root, which look-ups and proofs use, follow from its heads."""
    first = heads[0].account_no if heads else None
    return (chunk.chunk, chunk.first_account_no, chunk.root) == (place, first, root)


def _changed_accounts(connection: Connection, heads: Sequence[Head], name: str) -> Iterator[str]:
    for first in range(0, len(heads), HASHES_AT_ONCE):
        some = heads[first : first + HASHES_AT_ONCE]
        hashes = storage.find_hashes(connection, some)
        for head in some:
            if hashes.get(head.account_no) != head.hash:
                yield _describe_change(connection, head, name, has_row=head.account_no in hashes)


def _describe_change(connection: Connection, head: Head, name: str, *, has_row: bool) -> str:
    accounts, rows = credit_accounts.c, credit_transactions.c
    account_id = connection.scalar(select(accounts.account_id).where(accounts.account_no == head.account_no))
    account = f"account number {head.account_no}" if account_id is None else f"account '{account_id}'"
    if has_row:
        return f"{account}: transaction {head.seq} is not the one that {name} covers: its ledger was rewritten"
    last = connection.scalar(select(func.max(rows.seq)).where(rows.account_no == head.account_no))
    if last is None:
        return f"{account}: {name} covers {head.seq} transactions of it, and all are missing: the account was removed"
    return (
        f"{account}: {name} covers its transactions up to {head.seq}, and they end at {last}: "
        "the newest were removed, or an older copy of the database was restored"
    )

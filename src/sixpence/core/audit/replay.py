"""The replay: from a row back to its command, decided again and compared with the row.

The fold shows that a ledger adds up; the replay shows that every row is what the rules decide, in the version that the
row names (`rules.versions`). Pure, like the rules.
Not here: what any row must keep to, even one of older rules (`audit`).
"""

from collections.abc import Iterator

import msgspec

from sixpence.core.account.account import Account
from sixpence.core.account.commands import (
    Adjust,
    CancelPlan,
    CaptureHold,
    ChangePlan,
    Close,
    Command,
    Consume,
    EnsureAccount,
    ExtendHold,
    Freeze,
    GrantCredits,
    Key,
    PlaceHold,
    Refund,
    ReleaseHold,
    Unfreeze,
    VoidGrant,
)
from sixpence.core.account.fold import record
from sixpence.core.account.prior_transactions import PriorTransactions
from sixpence.core.account.transaction import Detail, Transaction, write_detail
from sixpence.core.catalog.catalog import Catalog, PricedBy
from sixpence.core.catalog.price import Usage
from sixpence.core.errors import BrokenLedgerError
from sixpence.core.rules import due
from sixpence.core.rules.decide import NO_PRIOR, decide
from sixpence.core.rules.grants import terms_of
from sixpence.core.values.instant import SECOND


def find_difference(
    before: Account, row: Transaction, priced_by: PricedBy, *, prior: PriorTransactions = NO_PRIOR
) -> str | None:
    """Return how the row differs from what the rules decide for the account before it; None where it does not.

    `prior` must hold what the row's command names, as for `decide`.
    """
    expected: Transaction | str | None = None
    for catalog in _possible_catalogs(row, priced_by):
        expected = _replay(before, row, catalog, prior)
        if expected == row:
            return None
    if isinstance(expected, Transaction):
        names = [name for name in row.__struct_fields__ if getattr(expected, name) != getattr(row, name)]
        differing = [f"{name} is {getattr(row, name)!r:.200}, not {getattr(expected, name)!r:.200}" for name in names]
        expected = "; ".join(text for text in differing if not text.startswith("hash "))
    return f"transaction {row.seq} of '{row.account_id}' ({row.kind}) is not what the rules say: {expected}"


def command_from_row(row: Transaction, before: Account, catalog: Catalog) -> Command:
    """Return a command for which the rules write this row; the original may have had more that no row stores."""
    detail = row.read_detail()
    said = {"reason": detail.reason, "actor": detail.actor, "metadata": row.metadata}
    about = detail.about or ""
    match row.kind:
        case "signup" | "ensure":
            return EnsureAccount(metadata=row.metadata)
        case "consume" if not detail.late:
            return Consume(
                feature=row.feature_used or "",
                usage=detail.usage or Usage(),
                generation_id=row.generation_id,
                metadata=row.metadata,
            )
        case "consume" | "capture":
            return CaptureHold(
                hold_id=about,
                usage=detail.usage,
                amount=detail.price if detail.usage is None else None,
                mode="exact" if detail.shortfall is None else "up_to_available",
                late=detail.late,
                generation_id=row.generation_id,
                metadata=row.metadata,
            )
        case "hold":
            return _hold_command(row, detail)
        case "hold_extend":
            lives, more = divmod((detail.hold_expires_at or 0) - row.created_at, SECOND)
            return ExtendHold(hold_id=about, ttl_seconds=0 if more else lives, metadata=row.metadata)
        case "release":
            return ReleaseHold(hold_id=about, reason=detail.reason, metadata=row.metadata)
        case "refund":
            return Refund(transaction_id=about, amount=detail.refunded, **said)
        case "void":
            return VoidGrant(grant_id=about, revoke_spent=detail.shortfall is not None, **said)
        case "grant":
            return _grant_command(row, detail)
        case "adjust":
            amount = row.amount if detail.grant is None else detail.grant.amount
            return Adjust(amount=amount, reason=detail.reason or "", actor=detail.actor or "", metadata=row.metadata)
        case "plan_change":
            return _plan_command(row, detail, before, catalog)
        case "freeze":
            return Freeze(**said)
        case "unfreeze":
            return Unfreeze(**said)
        case "close":
            return Close(**said)
    raise BrokenLedgerError(f"transaction {row.seq}: nothing was due, and no command leaves a row '{row.kind}'")


def _replay(before: Account, row: Transaction, priced_by: PricedBy, prior: PriorTransactions) -> Transaction | str:
    """Return the row that the rules write in place of this one, or why they write none."""
    if before.next_due_at is not None and before.next_due_at <= row.created_at:
        draft = before.copy()
        expected = record(draft, due.next_change(draft, before.next_due_at, priced_by), recorded_at=row.recorded_at)
        return _in_older_form(_with_erased_metadata(expected, row), row, before, prior)
    try:
        command = command_from_row(row, before, priced_by.catalog)
    except BrokenLedgerError as error:
        return str(error)
    key = None if row.idempotency_key is None else Key(row.idempotency_key, row.fingerprint or b"")
    rules = row.read_detail().rules
    try:
        decision = decide(
            before, command, clock=row.recorded_at, priced_by=priced_by, key=key, prior=prior, rules=rules
        )
    except LookupError as error:  # a hold that was placed under a later catalog than this one
        return str(error)
    if decision.refusal is not None:
        return f"it is refused ({decision.refusal})"
    if decision.row is None:
        return "it changes nothing"
    return _in_older_form(_with_erased_metadata(decision.row, row), row, before, prior)


def _with_erased_metadata(expected: Transaction, row: Transaction) -> Transaction:
    """Return the expected row without the metadata that was erased from this one (invariant 16)."""
    if row.metadata is not None or row.metadata_digest is None:
        return expected
    return msgspec.structs.replace(expected, metadata=None, metadata_digest=row.metadata_digest, hash=row.hash)


def _in_older_form(expected: Transaction, row: Transaction, before: Account, prior: PriorTransactions) -> Transaction:
    """Return the expected row in the older form of this one, which leaves out facts that newer rows have.

    Older expiries name their grant only in their movements; older captures have no second catalog; older voids have a
    shortfall of 0 for an allowance, and on a closed account, where nothing is ever owed.
    """
    detail, said = row.read_detail(), expected.read_detail()
    if row.kind == "expire" and detail.about is None:
        return msgspec.structs.replace(expected, detail=row.detail, about_seq=None, hash=row.hash)
    if row.kind == "capture" and detail.beyond is None:
        said = msgspec.structs.replace(said, beyond=None)
    if row.kind == "void" and detail.shortfall == 0:
        terms = terms_of(prior, detail.about or "")
        if before.standing == "closed" or (terms is not None and terms.by_plan is not None):
            said = msgspec.structs.replace(said, shortfall=0)
    if said == expected.read_detail():
        return expected
    return msgspec.structs.replace(expected, detail=write_detail(said), hash=row.hash)


def _possible_catalogs(row: Transaction, priced_by: PricedBy) -> Iterator[PricedBy]:
    """Yield the catalogs that may have been in force: the recorded one, or else the one of the row's instant first.

    A capture records the version of its hold's placing, and the one in force only where that one decided something;
    otherwise it may be any since the placing. A clock that was set back can date a row before its catalog, by as many
    versions as were applied until the clock had caught up.
    """
    every = (*priced_by.earlier, PricedBy(priced_by.version, priced_by.catalog, priced_by.applied_at))
    detail = row.read_detail()
    recorded = detail.catalog_version if detail.hold is None else detail.hold.catalog_version
    least = 0
    if row.kind == "capture":
        least, recorded = recorded or 0, None if detail.beyond is None else detail.beyond.catalog_version
    dated = priced_by.at(row.created_at).version
    for place, one in sorted(enumerate(every), key=lambda pair: abs(pair[1].version - dated)):
        if recorded in (None, one.version) and one.version >= least:
            yield msgspec.structs.replace(one, earlier=every[:place])


def _hold_command(row: Transaction, detail: Detail) -> PlaceHold:
    terms = detail.hold
    if terms is None:
        raise BrokenLedgerError(f"transaction {row.seq}: a hold without terms")
    return PlaceHold(
        feature=terms.feature,
        # Rounded up, since the end of the calendar may have cut it.
        ttl_seconds=-((row.created_at - terms.expires_at) // SECOND),
        usage=terms.usage or Usage(),
        amount=terms.price if terms.usage is None else None,
        generation_id=row.generation_id,
        metadata=row.metadata,
    )


def _grant_command(row: Transaction, detail: Detail) -> GrantCredits:
    terms = detail.grant
    if terms is None:
        raise BrokenLedgerError(f"transaction {row.seq}: a grant without terms")
    return GrantCredits(
        amount=terms.amount,
        category=terms.category,
        priority=terms.priority,
        effective_at=terms.effective_at,
        expires_at=terms.expires_at,
        features=terms.features,
        reason=detail.reason,
        actor=detail.actor,
        metadata=row.metadata,
    )


def _plan_command(row: Transaction, detail: Detail, before: Account, catalog: Catalog) -> Command:
    after = detail.subscription
    waits = after or before.subscription
    waiting = waits is not None and waits.waiting
    cancels = CancelPlan(reason=detail.reason, actor=detail.actor, metadata=row.metadata)
    name = row.plan
    if row.plan == before.plan and waits is not None and waiting:
        if waits.cancelled:
            return cancels
        name = waits.next_plan or row.plan
    elif row.plan == before.plan and after is None and row.plan == catalog.default_plan:
        # Cancelling the default plan changes nothing; asking for it again may begin a term.
        return cancels
    return ChangePlan(
        plan=name,
        trial=row.plan != before.plan and after is not None and after.trial and after.running,
        reason=detail.reason,
        actor=detail.actor,
        metadata=row.metadata,
    )

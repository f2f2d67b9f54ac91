"""What always holds between an account and its next row, beyond that they add up: invariants 4, 7, 9, 10, 11 and 18.

The fold shows that rows follow from one another; what they may not do all the same is looked for here. Pure: earlier
rows are asked for by their `seq`, so that an account of any length is audited in little memory. That the total is what
was ever given and not lost (invariant 1) follows: every movement leaves it so, and each row says what it consumed.
Whether a row is what the rules make of its command is another question (`again`).
"""

from collections.abc import Callable, Iterable
from typing import NoReturn

from sixpence.core.account import Account
from sixpence.core.catalog import PricedBy
from sixpence.core.errors import BrokenLedgerError
from sixpence.core.movement import EFFECTS, OVERDRAFT, Allocation, Movement
from sixpence.core.past import Past
from sixpence.core.rules.grants import terms_of, was_voided
from sixpence.core.subscription import Subscription
from sixpence.core.transaction import Detail, GrantTerms, Transaction, grant_id, seq_of

ReadPast = Callable[[int], Past]
"""The transaction of that `seq` and those about it, as far as the account has them."""

_BY_TIME = frozenset(("hold_expire", "expire", "rollover", "allowance", "take_effect"))
_ID_LENGTH = 36


class Audit:
    """One account's audit: its rows are shown in order, each with the account as it was before it."""

    def __init__(self, priced_by: PricedBy | None, read_past: ReadPast) -> None:
        self._priced_by = priced_by
        self._read_past = read_past
        self._version = 0

    def check(self, before: Account, row: Transaction) -> None:
        """Raise `BrokenLedgerError`, in words, for the first thing that the row may not do."""
        detail, moves = row.read_detail(), row.read_allocations()
        _check_time(before, row)
        self._check_catalog(before, row, detail)
        if (row.kind == "signup") != (row.seq == 1):
            _broken(row, "makes the account anew" if row.seq > 1 else "comes before the account is made")
        self._check_about(before, row, detail)
        _check_spending(before, row, moves)
        if row.kind == "hold" and any(move.movement != "held" for move in moves):
            _broken(row, "sets credits aside and moves others")
        if detail.late:
            self._check_late(before, row, detail)
        self._check_overdraft(before, row, detail, moves)
        if -_sum(moves, "consumed", "captured") != (row.credits_consumed or 0):
            _broken(row, f"says that it consumed {row.credits_consumed or 0}, and takes another amount")
        if row.kind == "refund":
            self._check_refund(row, detail, moves)
        elif detail.refunded is not None or _sum(moves, "refunded", "withheld"):
            _broken(row, "gives back what was consumed and is no refund")
        _check_allowance(before, row, detail)

    def _check_catalog(self, before: Account, row: Transaction, detail: Detail) -> None:
        """Commands are decided by the newest catalog; what time does, by that of its instant (invariant 18)."""
        says_placing_alone = row.kind == "capture" and detail.beyond is None
        if before.next_due_at == row.created_at or says_placing_alone:
            return
        version = _version_in_force(detail) or self._version
        if version < self._version:
            _broken(row, f"goes back to catalog {version}, and {self._version} was in force before")
        self._version = version

    def _check_about(self, before: Account, row: Transaction, detail: Detail) -> None:
        live = detail.about in before.holds or any(grant.id == detail.about for grant in before.grants)
        if detail.about is None or live:
            return
        seq = seq_of(detail.about) or 0
        there = self._read_past(seq).rows.get(seq) if seq < row.seq else None
        if there is None or there.id != detail.about[:_ID_LENGTH]:
            _broken(row, f"is about '{detail.about}', which was not there before")
        if row.kind == "void" and was_voided(_before(self._read_past(seq), row), detail.about):
            _broken(row, f"voids grant '{detail.about}' a second time")

    def _check_late(self, before: Account, row: Transaction, detail: Detail) -> None:
        """An expired hold is charged late once, and no other is."""
        hold = before.holds.get(detail.about or "")
        if hold is None:
            return
        if hold.state != "expired":
            _broken(row, "charges a hold late that has not expired")
        if any(one.kind == "consume" and one.seq < row.seq for one in self._read_past(hold.seq).about(hold.seq)):
            _broken(row, "charges a hold late a second time")

    def _check_overdraft(
        self, before: Account, row: Transaction, detail: Detail, moves: tuple[Allocation, ...]
    ) -> None:
        """What is owed and set aside of the overdraft grows up to what the plan grants, and no further."""
        grown = sum(
            (EFFECTS[move.movement].held - EFFECTS[move.movement].remaining) * move.amount
            for move in moves
            if move.grant_id == OVERDRAFT
        )
        if grown <= 0 or self._priced_by is None:
            return
        version = _version_in_force(detail)
        there = [one for one in (*self._priced_by.earlier, self._priced_by) if one.version >= (version or 0)]
        if row.kind != "capture" or detail.beyond is not None:
            # A capture of before says the catalog of the hold's placing alone: the one in force may be any since.
            there = there[:1]
        limits = [one.catalog.plans[row.plan].overdraft for one in there if row.plan in one.catalog.plans]
        used = before.owed + before.overdraft_held + grown
        if used > max(limits, default=0):
            _broken(row, f"takes {used} of an overdraft of {max(limits, default=0)}")

    def _check_refund(self, row: Transaction, detail: Detail, moves: tuple[Allocation, ...]) -> None:
        """No more comes back than was consumed, and to the grants it came from or grace grants in their place."""
        seq = seq_of(detail.about or "") or 0
        past = self._read_past(seq)
        refunded = past.rows.get(seq)
        if refunded is None:
            _broken(row, "refunds nothing that was there before")
        earlier = [one for one in past.about(seq) if one.kind == "refund" and one.seq < row.seq]
        back = sum(one.read_detail().refunded or 0 for one in earlier) + (detail.refunded or 0)
        if refunded.kind not in ("consume", "capture") or back > (refunded.credits_consumed or 0):
            consumed = refunded.credits_consumed or 0
            _broken(row, f"brings what was refunded of transaction {seq} to {back}, and it consumed {consumed}")
        if _sum(moves, "refunded", "withheld") != detail.refunded:
            _broken(row, "states another refund than it moves")
        spent = {move.grant_id for move in refunded.read_allocations() if move.movement in ("consumed", "captured")}
        self._check_places(row, detail, moves, spent)

    def _check_places(self, row: Transaction, detail: Detail, moves: tuple[Allocation, ...], spent: set[str]) -> None:
        made = {grant_id(row.id, place) for place in range(len(detail.grants))}
        for move in moves:
            if move.movement in ("refunded", "withheld") and move.grant_id not in spent | made | {OVERDRAFT}:
                _broken(row, f"gives back to grant '{move.grant_id}', from which nothing was taken")
        given = {name: terms_of(self._read_past(seq_of(name) or 0), name) for name in spent if name != OVERDRAFT}
        kinds = {_kind_of(terms) for terms in given.values() if terms is not None}
        if OVERDRAFT in spent:
            kinds.add(_kind_of(GrantTerms(0, "refund", 0)))
        if any(_kind_of(terms) not in kinds for terms in detail.grants):
            _broken(row, "gives back to a grace grant of other terms")
        for revived in detail.revived:
            terms = given.get(revived.grant_id)
            if terms != revived.terms or (terms.expires_at is not None and terms.expires_at <= row.created_at):
                _broken(row, f"brings back grant '{revived.grant_id}', which is over or had other terms")
            if was_voided(_before(self._read_past(seq_of(revived.grant_id) or 0), row), revived.grant_id):
                _broken(row, f"brings back grant '{revived.grant_id}', which was voided")


def _version_in_force(detail: Detail) -> int | None:
    """The catalog that was in force, as far as a row says; a capture may say that of its hold's placing alone."""
    if detail.beyond is not None:
        return detail.beyond.catalog_version
    return detail.catalog_version if detail.hold is None else detail.hold.catalog_version


def _check_time(before: Account, row: Transaction) -> None:
    """What is due comes first and at its instant; what only time does comes at no other (invariant 18)."""
    due_at = before.next_due_at
    is_due = due_at is not None and due_at == row.created_at
    if due_at is not None and due_at < row.created_at:
        _broken(row, f"passes over what was due at {due_at}")
    if row.kind in _BY_TIME and not is_due:
        _broken(row, f"is of the kind '{row.kind}' at an instant at which nothing was due")
    if is_due and (row.kind not in (*_BY_TIME, "plan_change") or row.idempotency_key is not None):
        _broken(row, f"comes before what was due at {due_at}")


def _check_spending(before: Account, row: Transaction, moves: tuple[Allocation, ...]) -> None:
    """A grant is spent and set aside in its time and for its features only (invariant 10)."""
    by_id = {grant.id: grant for grant in before.grants}
    for move in moves:
        grant = by_id.get(move.grant_id)
        if grant is None or move.movement not in ("consumed", "held"):
            continue
        if grant.expires_at is not None and grant.expires_at <= row.created_at:
            _broken(row, f"spends grant '{grant.id}', which expired at {grant.expires_at}")
        if grant.effective_at > row.created_at:
            _broken(row, f"spends grant '{grant.id}', which takes effect at {grant.effective_at}")
        if grant.features is not None and row.feature_used not in grant.features:
            _broken(row, f"spends grant '{grant.id}' on '{row.feature_used}', which it is not for")


def _check_allowance(before: Account, row: Transaction, detail: Detail) -> None:
    """A term gives its allowance once, in one piece or in shares, also when it was pushed aside (invariant 11)."""
    came = sum(terms.amount for terms in detail.grants if terms.by_plan is not None and not terms.rolled)
    then, after = before.subscription, detail.subscription
    if after is not None and after.given > after.best:
        _broken(row, f"gives {after.given} in a term whose best plan gives {after.best}")
    if came == 0:
        return
    if after is None:
        _broken(row, "gives an allowance and no term")
    given = None if then is None else _given_before(then, after)
    if given is not None:
        if came > after.given - given:
            _broken(row, f"gives {came} of an allowance and counts {after.given - given}")
        return
    begins_at = then.ends_at if then is not None and row.kind == "allowance" else after.anchor
    if came > after.given or begins_at != row.created_at:
        _broken(row, "gives an allowance outside its term's beginning")


def _given_before(then: Subscription, after: Subscription) -> int | None:
    """What the term had given that goes on or is taken up again; None for one that begins."""
    if _term(then) == _term(after):
        return then.given
    same = [term.given for term in then.aside if (term.period, term.anchor, term.ends_at) == _place(after)]
    return same[0] if same and not after.trial else None


def _place(subscription: Subscription) -> tuple[str, int, int]:
    return subscription.period, subscription.anchor, subscription.ends_at


def _term(subscription: Subscription) -> tuple[int, int, bool, tuple[str, ...]]:
    """What tells one term from another; trials of two plans may begin and end together."""
    return subscription.anchor, subscription.ends_at, subscription.trial, subscription.tried


def _kind_of(terms: GrantTerms) -> tuple[tuple[str, ...] | None, str, int]:
    """What a grace grant has in common with the grant in whose place it stands."""
    return terms.features, terms.category, terms.priority


def _before(past: Past, row: Transaction) -> Past:
    return Past().with_rows(one for one in past.rows.values() if one.seq < row.seq)


def _sum(moves: Iterable[Allocation], *movements: Movement) -> int:
    return sum(move.amount for move in moves if move.movement in movements)


def _broken(row: Transaction, how: str) -> NoReturn:
    raise BrokenLedgerError(f"transaction {row.seq} {how}")

"""What always holds between an account and its next row, beyond that they add up: invariants 4, 7, 9, 10, 11 and 18.

When a row may come stands in `audit_due`, what only refunds may do in `audit_refunds`, what terms give in
`audit_terms`, which movements a row of each kind may carry in `audit_moves`.

The fold shows that rows follow from one another; what they may not do all the same is looked for here. Pure: earlier
rows are asked for by their `seq`, so that an account of any length is audited in little memory. That the total is what
was ever given and not lost (invariant 1) follows: every movement leaves it so, and each row says what it consumed.
Whether a row is what the rules make of its command is another question (`again`).
"""

from sixpence.core.account.account import Account
from sixpence.core.account.grant import Grant
from sixpence.core.account.movement import EFFECTS, OVERDRAFT, Allocation, Movement
from sixpence.core.account.transaction import Detail, Transaction, seq_of
from sixpence.core.audit.due import check_time
from sixpence.core.audit.movements import broken, check_moves
from sixpence.core.audit.refunds import ReadPast, check_refund
from sixpence.core.audit.terms import check_allowance
from sixpence.core.catalog.catalog import PricedBy
from sixpence.core.rules.grants import was_voided

_ID_LENGTH = 36
_SPENT: tuple[Movement, ...] = ("consumed", "captured")
_TAKES: tuple[Movement, ...] = ("consumed", "held")
_BACK: tuple[Movement, ...] = ("refunded", "withheld")


class Audit:
    """One account's audit: its rows are shown in order, each with the account as it was before it."""

    def __init__(self, priced_by: PricedBy | None, read_past: ReadPast) -> None:
        self._priced_by = priced_by
        self._read_past = read_past
        self._version = 0

    def check(self, before: Account, row: Transaction, detail: Detail, moves: tuple[Allocation, ...]) -> None:
        """Raise `BrokenLedgerError`, in words, for the first thing that the row may not do.

        `detail` and `moves` are the row's own documents, read.
        """
        check_time(before, row, detail, moves)
        self._check_catalog(before, row, detail)
        if (row.kind == "signup") != (row.seq == 1):
            broken(row, "makes the account anew" if row.seq > 1 else "comes before the account is made")
        if detail.about is not None:
            self._check_about(before, row, detail.about)
        spent, given_back, overdraft = _sums(before, row, moves)
        if row.kind == "hold" and any(move.movement != "held" for move in moves):
            broken(row, "sets credits aside and moves others")
        if detail.late:
            self._check_late(before, row, detail)
        if overdraft > 0:
            self._check_overdraft(before, row, detail, overdraft)
        if spent != (row.credits_consumed or 0):
            broken(row, f"says that it consumed {row.credits_consumed or 0}, and takes another amount")
        if row.kind == "refund":
            check_refund(before, row, detail, moves, self._read_past)
        elif detail.refunded is not None or detail.revived or given_back:
            broken(row, "gives back what was consumed and is no refund")
        check_allowance(before, row, detail)
        if detail.about is not None:
            _check_hold(before, row, detail, detail.about)
        check_moves(row, detail, moves)

    def _check_catalog(self, before: Account, row: Transaction, detail: Detail) -> None:
        """Commands are decided by the newest catalog; what time does, by that of its instant (invariant 18)."""
        says_placing_alone = row.kind == "capture" and detail.beyond is None
        if before.next_due_at == row.created_at or says_placing_alone:
            return
        version = _version_in_force(detail) or self._version
        if version < self._version:
            broken(row, f"goes back to catalog {version}, and {self._version} was in force before")
        self._version = version

    def _check_about(self, before: Account, row: Transaction, about: str) -> None:
        if about in before.holds or _live(before, about) is not None:
            return
        seq = seq_of(about) or 0
        there = self._read_past(seq).rows.get(seq) if seq < row.seq else None
        if there is None or there.id != about[:_ID_LENGTH]:
            broken(row, f"is about '{about}', which was not there before")
        if row.kind == "void" and was_voided(self._read_past(seq).before(row.seq), about):
            broken(row, f"voids grant '{about}' a second time")

    def _check_late(self, before: Account, row: Transaction, detail: Detail) -> None:
        """An expired hold is charged late once, and no other is."""
        hold = before.holds.get(detail.about or "")
        if hold is None:
            return
        if hold.state != "expired":
            broken(row, "charges a hold late that has not expired")
        if any(one.kind == "consume" and one.seq < row.seq for one in self._read_past(hold.seq).about(hold.seq)):
            broken(row, "charges a hold late a second time")

    def _check_overdraft(self, before: Account, row: Transaction, detail: Detail, grown: int) -> None:
        """What is owed and set aside of the overdraft grows up to what the plan grants, and no further."""
        if self._priced_by is None:
            return
        version = _version_in_force(detail)
        there = [one for one in (*self._priced_by.earlier, self._priced_by) if one.version >= (version or 0)]
        if row.kind != "capture" or detail.beyond is not None:
            # A capture of before says the catalog of the hold's placing alone: the one in force may be any since.
            there = there[:1]
        limits = [one.catalog.plans[row.plan].overdraft for one in there if row.plan in one.catalog.plans]
        used = before.owed + before.overdraft_held + grown
        if used > max(limits, default=0):
            broken(row, f"takes {used} of an overdraft of {max(limits, default=0)}")


def _version_in_force(detail: Detail) -> int | None:
    """The catalog that was in force, as far as a row says; a capture may say that of its hold's placing alone."""
    if detail.beyond is not None:
        return detail.beyond.catalog_version
    return detail.catalog_version if detail.hold is None else detail.hold.catalog_version


def _check_hold(before: Account, row: Transaction, detail: Detail, about: str) -> None:
    """What is about a hold is for its feature, and what captures it says by which catalog it was placed."""
    hold = before.holds.get(about)
    if hold is None:
        return
    if row.feature_used != hold.terms.feature:
        broken(row, f"names '{row.feature_used}', and its hold is for '{hold.terms.feature}'")
    if row.kind == "capture" and detail.catalog_version != hold.terms.catalog_version:
        placed = hold.terms.catalog_version
        broken(row, f"captures by catalog {detail.catalog_version}, and its hold was placed by {placed}")


def _sums(before: Account, row: Transaction, moves: tuple[Allocation, ...]) -> tuple[int, int, int]:
    """What a row spends, what it gives back, and how much more is then owed or set aside of the overdraft.

    On the way it is looked at whether what it takes from may be spent.
    """
    spent = given_back = overdraft = 0
    for move in moves:
        movement, amount = move.movement, move.amount
        if move.grant_id == OVERDRAFT:
            effect = EFFECTS[movement]
            overdraft += (effect.held - effect.remaining) * amount
        elif movement in _TAKES:
            _check_spending(before, row, move.grant_id)
        if movement in _SPENT:
            spent -= amount
        elif movement in _BACK:
            given_back += amount
    return spent, given_back, overdraft


def _check_spending(before: Account, row: Transaction, name: str) -> None:
    """A grant is spent and set aside in its time and for its features only (invariant 10)."""
    grant = _live(before, name)
    if grant is None:
        return
    if grant.expires_at is not None and grant.expires_at <= row.created_at:
        broken(row, f"spends grant '{grant.id}', which expired at {grant.expires_at}")
    if grant.effective_at > row.created_at:
        broken(row, f"spends grant '{grant.id}', which takes effect at {grant.effective_at}")
    if grant.features is not None and row.feature_used not in grant.features:
        broken(row, f"spends grant '{grant.id}' on '{row.feature_used}', which it is not for")


def _live(account: Account, name: str) -> Grant | None:
    for grant in account.grants:
        if grant.id == name:
            return grant
    return None

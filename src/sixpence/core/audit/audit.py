"""The audit of an account: what must hold between it and its next row beyond the sums (invariants 4, 7, 9, 10, 11, 18).

The fold shows that the rows add up and follow from one another; the audit finds rows that add up and are forbidden all
the same. Pure: it reads earlier rows by their `seq`, so that an account of any length needs little memory. Invariant 1
follows: every movement keeps the total right, and each row says what it consumed.

Not here: when a row may come and what a term may give (`due`), what a refund may do (`refunds`), which movements a kind
of row may carry (`movements`), and whether the rules decide the same row again (`replay`).
"""

from sixpence.core.account.account import Account
from sixpence.core.account.grant import Grant
from sixpence.core.account.movement import EFFECTS, OVERDRAFT, Allocation, Movement
from sixpence.core.account.transaction import Detail, Transaction, seq_of
from sixpence.core.audit.due import check_allowance, check_due
from sixpence.core.audit.movements import check_moves, raise_broken
from sixpence.core.audit.refunds import ReadPrior, check_refund
from sixpence.core.catalog.catalog import PricedBy
from sixpence.core.rules import versions
from sixpence.core.rules.grants import was_voided

_ID_LENGTH = 36
_SPENT: tuple[Movement, ...] = ("consumed", "captured")
_TAKES: tuple[Movement, ...] = ("consumed", "held")
_BACK: tuple[Movement, ...] = ("refunded", "withheld")


class Audit:
    """The audit of one account: `check` receives its rows in order, each with the account before it."""

    def __init__(self, priced_by: PricedBy | None, read_prior: ReadPrior) -> None:
        self._priced_by = priced_by
        self._read_prior = read_prior
        self._version = 0

    def check(self, before: Account, row: Transaction, detail: Detail, moves: tuple[Allocation, ...]) -> None:
        """Raise `BrokenLedgerError` for the first thing that the row may not do.

        `detail` and `moves` are the row's own documents, decoded.
        """
        check_due(before, row, detail, moves)
        self._check_catalog(before, row, detail)
        if (row.kind == "signup") != (row.seq == 1):
            raise_broken(row, "makes the account a second time" if row.seq > 1 else "comes before the account is made")
        if detail.about is not None:
            self._check_about(before, row, detail.about)
        spent, given_back, overdraft = _sums(before, row, moves)
        if row.kind == "hold" and any(move.movement != "held" for move in moves):
            raise_broken(row, "sets credits aside and moves others")
        if detail.late:
            self._check_late(before, row, detail)
        if overdraft > 0:
            self._check_overdraft(before, row, detail, overdraft)
        if spent != (row.credits_consumed or 0):
            raise_broken(row, f"says that it consumed {row.credits_consumed or 0}, and takes another amount")
        if row.kind == "refund":
            check_refund(before, row, detail, moves, self._read_prior)
        elif detail.refunded is not None or detail.revived or given_back:
            raise_broken(row, "gives back what was consumed and is no refund")
        if not 1 <= detail.rules <= versions.CURRENT:
            raise_broken(row, f"is decided by version {detail.rules} of the rules, which is unknown")
        check_allowance(before, row, detail, moves)
        if detail.about is not None:
            _check_hold(before, row, detail, detail.about)
        check_moves(row, detail, moves)

    def _check_catalog(self, before: Account, row: Transaction, detail: Detail) -> None:
        """Check the catalog: the newest one decides a command, the one of its instant a due change (invariant 18)."""
        names_only_placing = row.kind == "capture" and detail.beyond is None
        if before.next_due_at == row.created_at or names_only_placing:
            return
        version = _version_in_force(detail) or self._version
        if version < self._version:
            raise_broken(row, f"goes back to catalog {version}, and {self._version} was in force before")
        self._version = version

    def _check_about(self, before: Account, row: Transaction, about: str) -> None:
        if about in before.holds or _find_live(before, about) is not None:
            return
        seq = seq_of(about) or 0
        there = self._read_prior(seq).rows.get(seq) if seq < row.seq else None
        if there is None or there.id != about[:_ID_LENGTH]:
            raise_broken(row, f"is about '{about}', which was not there before")
        if row.kind == "void" and was_voided(self._read_prior(seq).before(row.seq), about):
            raise_broken(row, f"voids grant '{about}' a second time")

    def _check_late(self, before: Account, row: Transaction, detail: Detail) -> None:
        """Check that only an expired hold is charged late, and only once."""
        hold = before.holds.get(detail.about or "")
        if hold is None:
            return
        if hold.state != "expired":
            raise_broken(row, "charges a hold late that has not expired")
        if any(one.kind == "consume" and one.seq < row.seq for one in self._read_prior(hold.seq).about(hold.seq)):
            raise_broken(row, "charges a hold late a second time")

    def _check_overdraft(self, before: Account, row: Transaction, detail: Detail, grown: int) -> None:
        """Check that the used and held overdraft does not exceed the plan's."""
        if self._priced_by is None:
            return
        version = _version_in_force(detail)
        there = [one for one in (*self._priced_by.earlier, self._priced_by) if one.version >= (version or 0)]
        if row.kind != "capture" or detail.beyond is not None:
            # An older capture names only the catalog of the hold's placing: any later one may have been in force.
            there = there[:1]
        limits = [one.catalog.plans[row.plan].overdraft for one in there if row.plan in one.catalog.plans]
        used = before.owed + before.overdraft_held + grown
        if used > max(limits, default=0):
            raise_broken(row, f"takes {used} of an overdraft of {max(limits, default=0)}")


def _version_in_force(detail: Detail) -> int | None:
    """Return the catalog that the row says was in force; an older capture names only that of its hold's placing."""
    if detail.beyond is not None:
        return detail.beyond.catalog_version
    return detail.catalog_version if detail.hold is None else detail.hold.catalog_version


def _check_hold(before: Account, row: Transaction, detail: Detail, about: str) -> None:
    """Check that a row about a hold is for its feature, and that a capture names the catalog of its placing."""
    hold = before.holds.get(about)
    if hold is None:
        return
    if row.feature_used != hold.terms.feature:
        raise_broken(row, f"names '{row.feature_used}', and its hold is for '{hold.terms.feature}'")
    if row.kind == "capture" and detail.catalog_version != hold.terms.catalog_version:
        placed = hold.terms.catalog_version
        raise_broken(row, f"captures by catalog {detail.catalog_version}, and its hold was placed by {placed}")


def _sums(before: Account, row: Transaction, moves: tuple[Allocation, ...]) -> tuple[int, int, int]:
    """Return what a row spends, what it gives back, and how much more of the overdraft it uses or holds.

    Each grant that it takes from is checked, too: may it be spent?
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
    """Check that the grant is in effect and for the row's feature (invariant 10)."""
    grant = _find_live(before, name)
    if grant is None:
        return
    if grant.expires_at is not None and grant.expires_at <= row.created_at:
        raise_broken(row, f"spends grant '{grant.id}', which expired at {grant.expires_at}")
    if grant.effective_at > row.created_at:
        raise_broken(row, f"spends grant '{grant.id}', which takes effect at {grant.effective_at}")
    if grant.features is not None and row.feature_used not in grant.features:
        raise_broken(row, f"spends grant '{grant.id}' on '{row.feature_used}', which it is not for")


def _find_live(account: Account, name: str) -> Grant | None:
    for grant in account.grants:
        if grant.id == name:
            return grant
    return None

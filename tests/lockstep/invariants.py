"""What always holds, seen from an account and its rows, whoever decided them."""

from collections import defaultdict
from collections.abc import Callable

from sixpence.core.account import Account, next_due_at
from sixpence.core.bounds import AMOUNT_MAX
from sixpence.core.catalog import Catalog, Plan
from sixpence.core.chain import row_hash
from sixpence.core.commands import Command, GrantCredits, Tick
from sixpence.core.decide import Decision
from sixpence.core.grant import burn_down_order
from sixpence.core.instant import DAY
from sixpence.core.movement import OVERDRAFT
from sixpence.core.transaction import FIRST_HEAD, GrantTerms, Transaction, grant_id, seq_of

_SPENT = ("consumed", "captured")
_BACK = ("refunded", "withheld")
# Longer than any hold, grace or year that is drawn.
_FAR = 400 * DAY


def check_account(account: Account, rows: list[Transaction]) -> None:
    """Invariants 1 to 3: the account's figures follow from its grants and from its ledger."""
    open_holds = sum(hold.amount for hold in account.holds.values() if hold.state == "open")
    consumed = sum(row.credits_consumed or 0 for row in rows)
    refunded = sum(row.read_detail().refunded or 0 for row in rows)

    assert account.remaining == sum(grant.free for grant in account.grants) - account.owed - account.overdraft_held
    assert account.remaining == sum(row.amount for row in rows)
    assert account.held == sum(grant.held for grant in account.grants) + account.overdraft_held
    assert account.held == open_holds
    assert account.total == account.remaining + account.held + consumed - refunded
    assert account.total >= 0
    assert 0 <= account.owed <= consumed - refunded
    assert account.overdraft_held >= 0
    for grant in account.grants:
        assert 0 <= grant.held <= grant.remaining <= grant.amount
        assert grant.remaining > 0
        assert grant.over is None or grant.held == grant.remaining
    assert account.total + sum(grant.remaining for grant in account.grants if grant.pending) <= AMOUNT_MAX
    assert account.grants == sorted(account.grants, key=burn_down_order)
    assert account.next_due_at == next_due_at(account)


def check_overdraft(before: Account, after: Account, catalog: Catalog) -> None:
    """Invariant 3: nothing that is done takes an account further below zero than its plan lets it."""
    owed = after.owed + after.overdraft_held
    if owed > before.owed + before.overdraft_held:
        assert owed <= catalog.plans.get(after.plan, Plan()).overdraft
        assert after.remaining >= -catalog.plans.get(after.plan, Plan()).overdraft


def check_chain(rows: list[Transaction]) -> None:
    """Invariants 5 and 12: numbers without a gap, balances that follow, hashes that follow, time that goes on."""
    balance, head, last_at = 0, FIRST_HEAD, 0
    for seq, row in enumerate(rows, start=1):
        assert (row.seq, seq_of(row.id), row.balance_after) == (seq, seq, balance + row.amount)
        assert row.hash == row_hash(head, row)
        assert row.created_at >= last_at
        balance, head, last_at = row.balance_after, row.hash, row.created_at


def check_history(rows: list[Transaction]) -> None:
    """Invariants 7 to 11: holds end once, refunds stay within, credits are spent in their time and for their use."""
    _check_holds(rows)
    _check_refunds(rows)
    _check_spending(rows)
    assert [row.kind for row in rows].count("signup") == min(1, len(rows))
    keys = [row.idempotency_key for row in rows if row.idempotency_key is not None]
    assert len(keys) == len(set(keys))


def check_terms(rows: list[Transaction], allowance_of: Callable[[int, str], int]) -> None:
    """What plans give in a term is never more than the best of them does, and no two terms of a period overlap.

    `allowance_of` a catalog version and a plan is what that plan promises. Trials are no terms, and credits that rolled
    over were given before.
    """
    gave: dict[tuple[str, int, int], int] = defaultdict(int)
    best: dict[tuple[str, int, int], int] = defaultdict(int)
    ended: dict[str, tuple[int, int]] = {}
    for row in rows:
        detail = row.read_detail()
        term = detail.subscription
        if term is None or term.trial or detail.catalog_version is None:
            continue
        name = (term.period, term.anchor, term.ends_at)
        best[name] = max(best[name], allowance_of(detail.catalog_version, row.plan))
        given = sum(made.amount for made in detail.grants if made.by_plan is not None and not made.rolled)
        if given:
            gave[name] += given
            assert gave[name] <= best[name], f"{name} gave {gave[name]} of {best[name]}"
            anchor, ends_at = ended.get(term.period, (term.anchor, 0))
            assert row.created_at >= ends_at or (anchor, ends_at) == name[1:], f"{name} beside one until {ends_at}"
            ended[term.period] = name[1:]


def check_it_goes_on(account: Account, now: int, decided: Callable[[Account, Command, int], Decision]) -> None:
    """No account is ever stuck: time goes on, and credits can be given unless it is closed or full."""
    later = decided(account, Tick(), now + _FAR)
    for row in later.rows:
        assert abs(row.balance_after) <= AMOUNT_MAX
        assert 0 <= row.held_after <= AMOUNT_MAX
        assert 0 <= row.total_after <= AMOUNT_MAX
    if account.exists:
        granted = decided(later.account, GrantCredits(amount=1), now + _FAR)
        refused = None if granted.refusal is None else granted.refusal.code
        assert refused in ({"account-closed"} if account.standing == "closed" else {None, "balance-limit"}), refused


def _check_holds(rows: list[Transaction]) -> None:
    held: dict[str, int] = {}
    ended: dict[str, int] = defaultdict(int)
    for row in rows:
        moves, about = row.read_allocations(), row.read_detail().about or ""
        if row.kind == "hold":
            held[row.id] = -sum(move.amount for move in moves)
        if row.kind in ("capture", "release", "hold_expire"):
            ended[about] += 1
            captured = -sum(move.amount for move in moves if move.movement == "captured")
            back = sum(abs(move.amount) for move in moves if move.movement in ("released", "lapsed"))
            assert captured + back == held[about]
            assert captured <= (row.credits_consumed or 0)
    assert all(count == 1 for count in ended.values())
    late = [row.read_detail().about for row in rows if row.read_detail().late]
    assert len(late) == len(set(late))


def _check_refunds(rows: list[Transaction]) -> None:
    spent = {row.id: row.credits_consumed or 0 for row in rows if row.kind in ("consume", "capture")}
    for row in rows:
        refunded = row.read_detail().refunded
        if refunded is not None:
            about = row.read_detail().about or ""
            spent[about] -= refunded
            assert spent[about] >= 0
            assert refunded == sum(move.amount for move in row.read_allocations() if move.movement in _BACK)


def _check_spending(rows: list[Transaction]) -> None:
    terms: dict[str, GrantTerms] = {}
    for row in rows:
        terms |= {grant_id(row.id, place): made for place, made in enumerate(row.read_detail().grants)}
        taken = [move for move in row.read_allocations() if move.movement in (*_SPENT, "held")]
        assert all(move.amount < 0 for move in taken)
        spent = -sum(move.amount for move in taken if move.movement in _SPENT)
        assert spent == (row.credits_consumed or 0)
        for move in taken:
            if move.grant_id != OVERDRAFT and move.movement != "captured":
                grant = terms[move.grant_id]
                assert grant.effective_at <= row.created_at
                assert grant.expires_at is None or row.created_at < grant.expires_at
                assert grant.features is None or row.feature_used in grant.features

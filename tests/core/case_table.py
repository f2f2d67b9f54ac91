"""Reads and writes the lines of cases/*.txt: `state | command | outcome`.

State:    `no account`, or PLAN [REMAINING of TOTAL] [since LAST]: GRANTS. The figures follow from the grants where
          they are left out; `since` is the instant of the account's last row, @0 if left out.
Grant:    NAME LEFT[/AMOUNT] [CATEGORY] [priority N] [from AT] [until AT] [for FEATURE+FEATURE]; in brackets in an
          outcome while it has not taken effect. Grants were made at @0 in the order of the line; an outcome lists them
          in burn-down order, without their terms, and calls the one that the command made `new`.
Command:  @CLOCK ensure | grant AMOUNT ... | consume FEATURE | plan PLAN | tick, each with [key KEY].
Outcome:  the rows, the refusal if there is one, and the state, separated by semicolons.

Instants are seconds after 2026-01-01, MAX is 2^53 - 1. Nothing here knows a rule.
"""

from decimal import Decimal
from pathlib import Path
from typing import get_args

import msgspec

from sixpence.core.account.account import Account, next_due_at
from sixpence.core.account.commands import ChangePlan, Command, Consume, EnsureAccount, GrantCredits, Key, Tick
from sixpence.core.account.grant import DEFAULT_PRIORITY, Category, Grant, burn_down_order
from sixpence.core.account.transaction import Transaction, transaction_id
from sixpence.core.catalog.catalog import PricedBy
from sixpence.core.catalog.toml import from_toml
from sixpence.core.errors import RefusedError
from sixpence.core.refusals import InsufficientCreditsError
from sixpence.core.rules.decide import Decision
from sixpence.core.values.bounds import AMOUNT_MAX, account_no
from sixpence.core.values.instant import SECOND

CASES = Path(__file__).parent / "cases"
PRICED_BY = PricedBy(3, from_toml((CASES / "catalog.toml").read_text()))
ACCOUNT_ID = "ada@example.com"
ACCOUNT_NO = account_no(ACCOUNT_ID)

_START = 20_454 * 86_400 * SECOND  # 2026-01-01
_NAMES = "abcdefghij"


class Case(msgspec.Struct, frozen=True):
    """One line of a table."""

    place: str
    state: str
    command: str
    outcome: str


def read_cases(path: Path) -> list[Case]:
    """The cases of one table."""
    cases = []
    for number, line in enumerate(path.read_text().splitlines(), start=1):
        if line.strip() and not line.startswith("#"):
            state, command, outcome = (" ".join(part.split()) for part in line.split("|"))
            cases.append(Case(f"{path.stem}:{number}", state, command, outcome))
    return cases


def read_state(text: str) -> Account:
    """The account of a state."""
    account = Account(account_no=ACCOUNT_NO, account_id=ACCOUNT_ID)
    if text == "no account":
        return account
    head, _, listed = text.partition(":")
    words = head.split()
    entries = [entry for entry in listed.split(",") if entry.strip()]
    account.plan = words[0]
    account.last_at = read_instant(words[words.index("since") + 1]) if "since" in words else _START
    account.seq = len(entries) + 1
    account.granted_at = _START
    account.grants = sorted(
        (_read_grant(place, entry.split(), account.last_at) for place, entry in enumerate(entries)), key=burn_down_order
    )
    account.next_due_at = next_due_at(account)
    account.remaining = sum(grant.remaining for grant in account.grants if not grant.pending)
    account.total = sum(grant.amount for grant in account.grants if not grant.pending)
    if "of" in words:
        place = words.index("of")
        account.remaining, account.total = _read_amount(words[place - 1]), _read_amount(words[place + 1])
    return account


def read_command(text: str) -> tuple[int, Command, Key | None]:
    """The clock, the command and its key."""
    words = text.split()
    key = Key(words[words.index("key") + 1], bytes(32)) if "key" in words else None
    match words[1:]:
        case ["ensure", *_]:
            command: Command = EnsureAccount()
        case ["grant", amount, *terms]:
            command = GrantCredits(
                amount=_read_amount(amount),
                category=_category(terms),
                priority=int(_after(terms, "priority") or DEFAULT_PRIORITY),
                effective_at=_instant_after(terms, "from"),
                expires_at=_instant_after(terms, "until"),
                features=_features(terms),
            )
        case ["consume", feature, *_]:
            command = Consume(feature=feature)
        case ["plan", plan, *_]:
            command = ChangePlan(plan=plan)
        case _:
            assert words[1:] == ["tick"], text
            command = Tick()
    return read_instant(words[0].removeprefix("@")), command, key


def write_outcome(decision: Decision, clock: int) -> str:
    """The outcome as a table states it."""
    parts = [_write_row(row, clock) for row in decision.rows]
    if decision.refusal is not None:
        parts.append(f"refused {decision.refusal.code}{_write_facts(decision.refusal)}")
    return "; ".join([*parts, _write_state(decision.account)])


def read_instant(text: str) -> int:
    """The instant of a number of seconds."""
    return _START + int(Decimal(text) * SECOND)


def _read_grant(place: int, words: list[str], last_at: int) -> Grant:
    name, left, *terms = words
    assert name == _NAMES[place], words
    remaining, _, amount = left.partition("/")
    effective_at = _instant_after(terms, "from") or _START
    return Grant(
        id=transaction_id(ACCOUNT_NO, place + 2, _START),
        amount=_read_amount(amount or remaining),
        remaining=_read_amount(remaining),
        category=_category(terms),
        effective_at=effective_at,
        expires_at=_instant_after(terms, "until"),
        priority=int(_after(terms, "priority") or DEFAULT_PRIORITY),
        features=_features(terms),
        pending=effective_at > last_at,
    )


def _after(words: list[str], word: str) -> str | None:
    return words[words.index(word) + 1] if word in words else None


def _instant_after(words: list[str], word: str) -> int | None:
    text = _after(words, word)
    return None if text is None else read_instant(text)


def _features(words: list[str]) -> tuple[str, ...] | None:
    text = _after(words, "for")
    return None if text is None else tuple(text.split("+"))


def _category(words: list[str]) -> Category:
    named: list[Category] = [category for category in get_args(Category) if category in words]
    return named[0] if named else "admin"


def _read_amount(text: str) -> int:
    if not text.startswith("MAX"):
        return int(text)
    return AMOUNT_MAX - int(text.removeprefix("MAX").removeprefix("-") or 0)


def _write_amount(amount: int) -> str:
    gap = AMOUNT_MAX - amount
    return str(amount) if gap > 1_000 else f"MAX-{gap}" if gap else "MAX"


def _write_signed(amount: int) -> str:
    return f"{'+' if amount > 0 else '-'}{_write_amount(abs(amount))}" if amount else "0"


def _write_instant(instant: int) -> str:
    return f"{Decimal(instant - _START) / SECOND:f}"


def _write_state(account: Account) -> str:
    if not account.exists:
        return "no account"
    grants = []
    for grant in account.grants:
        left = _write_amount(grant.remaining)
        whole = "" if grant.remaining == grant.amount else f"/{_write_amount(grant.amount)}"
        text = f"{_name(grant.id)} {left}{whole}"
        grants.append(f"({text})" if grant.pending else text)
    figures = f"{account.plan} {_write_amount(account.remaining)} of {_write_amount(account.total)}"
    return f"{figures}: {', '.join(grants)}" if grants else figures


def _write_row(row: Transaction, clock: int) -> str:
    detail = row.read_detail()
    words = [f"@{_write_instant(row.created_at)}", row.kind]
    words += [row.feature_used] if row.feature_used is not None else []
    words.append(_write_signed(row.amount))
    moves = [f"{_name(move.grant_id)} {move.movement} {_write_signed(move.amount)}" for move in row.read_allocations()]
    words += [f"[{', '.join(moves)}{_write_terms(row)}]"] if moves else []
    words += [f"(price {detail.price})"] if detail.price != row.credits_consumed else []
    words += [f"{detail.previous_plan} to {row.plan}"] if detail.previous_plan is not None else []
    words += [f"key {row.idempotency_key}"] if row.idempotency_key is not None else []
    assert row.recorded_at == clock
    words += [f"by a clock at @{_write_instant(clock)}"] if row.recorded_at < row.created_at else []
    return " ".join(words)


def _write_terms(row: Transaction) -> str:
    terms = row.read_detail().grant
    if terms is None:
        return ""
    words = ["", terms.category]
    words += [f"priority {terms.priority}"] if terms.priority != DEFAULT_PRIORITY else []
    words += [f"from {_write_instant(terms.effective_at)}"] if terms.effective_at != row.created_at else []
    words += [f"until {_write_instant(terms.expires_at)}"] if terms.expires_at is not None else []
    words += [f"for {'+'.join(terms.features)}"] if terms.features is not None else []
    return " ".join(words)


def _write_facts(refusal: RefusedError) -> str:
    data = refusal.data()
    match refusal.code:
        case "insufficient-credits":
            assert isinstance(refusal, InsufficientCreditsError)
            return f" needs {refusal.required}, has {refusal.available} of {refusal.remaining}"
        case "balance-limit":
            return f" {_write_amount(data['amount'])} on {_write_amount(data['total'])}"
        case "unknown-feature" | "unknown-plan" | "grant-period":
            return f" {data.get('feature') or data.get('plan') or data.get('field')}"
        case _:
            return ""


def _name(grant_id: str) -> str:
    names = {transaction_id(ACCOUNT_NO, place + 2, _START): name for place, name in enumerate(_NAMES)}
    return names.get(grant_id, "new")

"""Reads and writes the lines of cases/stories/*.txt: `what happened before | command | outcome`.

A story is the commands that made the account what it is, each accepted, separated by semicolons; it begins with the
account of ada@example.com being made at its first instant. The outcome is the rows that the command leaves, the refusal
if there is one, and the account afterwards.

Instants: seconds after 2026-01-01, or a date with or without a time (2026-01-31T10:00), all UTC.
Names:    #3 is what transaction 3 was: itself, its hold or its grant; #3.2 is its second grant.
Commands: @AT ensure | grant N [CATEGORY] [priority N] [from AT] [until AT] [for F+F] | use FEATURE [USAGE]
          | hold FEATURE [USAGE | N credits] [for SECONDS] | extend #H [for SECONDS]
          | capture #H [USAGE | N credits] [up to what is there] [late] | release #H | refund #T [N] | void #G [revoke]
          | adjust N | plan NAME [trial] | cancel | freeze | unfreeze | close | tick
          each with [key K]. USAGE: N units, or MODEL N in N cached N out. A hold lives 60 seconds if nothing is said.
Account:  PLAN REMAINING of TOTAL, held N, owed N, frozen: GRANT LEFT/AMOUNT (held N, until AT, over, later), ...;
          term until AT (given N, next AT, then PLAN); fair use STEP: N.

Nothing here knows a rule.
"""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import get_args

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
    Tick,
    Unfreeze,
    VoidGrant,
)
from sixpence.core.account.grant import DEFAULT_PRIORITY, Category, Grant
from sixpence.core.account.prior_transactions import PriorTransactions
from sixpence.core.account.transaction import Transaction
from sixpence.core.catalog.catalog import PricedBy
from sixpence.core.catalog.price import Usage
from sixpence.core.catalog.toml import from_toml
from sixpence.core.errors import RefusedError
from sixpence.core.rules.decide import Decision, decide
from sixpence.core.values.bounds import account_no
from sixpence.core.values.instant import SECOND, from_wire, to_wire

STORIES = Path(__file__).parent / "cases" / "stories"
PRICED_BY = PricedBy(3, from_toml((STORIES / "catalog.toml").read_text()))
ACCOUNT_ID = "ada@example.com"

_START = 20_454 * 86_400 * SECOND  # 2026-01-01
_SECONDS_SHOWN_MAX = 100_000 * SECOND


class StoryState(msgspec.Struct, frozen=True):
    """An account after a story, and all its rows."""

    account: Account
    rows: tuple[Transaction, ...] = ()

    @property
    def prior(self) -> PriorTransactions:
        """Every transaction of the account."""
        return PriorTransactions().with_rows(self.rows)

    def run(self, text: str) -> tuple[Decision, "StoryState"]:
        """Run one more command."""
        clock, command, key = self.read(text)
        decision = decide(self.account, command, clock=clock, priced_by=PRICED_BY, key=key, prior=self.prior)
        return decision, StoryState(decision.account, (*self.rows, *decision.rows))

    def read(self, text: str) -> tuple[int, Command, Key | None]:
        """Read the clock, the command and its key."""
        when, *words = text.split()
        key = Key(_after(words, "key"), bytes(32)) if "key" in words else None
        return read_instant(when.removeprefix("@")), self._command(words), key

    def _command(self, words: list[str]) -> Command:
        match words:
            case ["grant", amount, *terms]:
                return GrantCredits(
                    amount=int(amount),
                    category=_category(terms),
                    priority=int(_after(terms, "priority")) if "priority" in terms else DEFAULT_PRIORITY,
                    effective_at=read_instant(_after(terms, "from")) if "from" in terms else None,
                    expires_at=read_instant(_after(terms, "until")) if "until" in terms else None,
                    features=tuple(_after(terms, "for").split("+")) if "for" in terms else None,
                )
            case ["use", feature, *usage]:
                return Consume(feature=feature, usage=_usage(usage) or Usage())
            case ["hold", feature, *terms]:
                return PlaceHold(
                    feature=feature,
                    ttl_seconds=int(_after(terms, "for")) if "for" in terms else 60,
                    usage=_usage(terms) or Usage(),
                    amount=_credits(terms),
                )
            case ["extend", hold, *terms]:
                return ExtendHold(hold_id=self._id(hold), ttl_seconds=int(_after(terms, "for")))
            case ["capture", hold, *terms]:
                return CaptureHold(
                    hold_id=self._id(hold),
                    usage=_usage(terms),
                    amount=_credits(terms),
                    mode="up_to_available" if "up" in terms else "exact",
                    late="late" in terms,
                )
            case ["release", hold, *_]:
                return ReleaseHold(hold_id=self._id(hold))
            case ["refund", transaction, *amount]:
                return Refund(
                    transaction_id=self._id(transaction),
                    amount=int(amount[0]) if amount[:1] not in ([], ["key"]) else None,
                )
            case ["void", grant, *terms]:
                return VoidGrant(grant_id=self._id(grant), revoke_spent="revoke" in terms)
            case ["adjust", amount, *_]:
                return Adjust(amount=int(amount), reason="Counted again", actor="ops@example.com")
            case ["plan", plan, *terms]:
                return ChangePlan(plan=plan, trial="trial" in terms)
            case [word, *_]:
                return _PLAIN[word]()
        raise AssertionError(words)

    def _id(self, name: str) -> str:
        """The id behind #3 or #3.2; an unknown name stays as it is."""
        seq, _, place = name.removeprefix("#").partition(".")
        found = [row.id for row in self.rows if str(row.seq) == seq]
        return f"{found[0]}.{place}" if found and place else found[0] if found else name


_PLAIN: dict[str, Callable[[], Command]] = {
    "ensure": EnsureAccount,
    "cancel": CancelPlan,
    "freeze": Freeze,
    "unfreeze": Unfreeze,
    "close": Close,
    "tick": Tick,
}


def run_story(story: str) -> StoryState:
    """The account after a story; every command of it must be accepted."""
    state = StoryState(Account(account_no=account_no(ACCOUNT_ID), account_id=ACCOUNT_ID))
    for text in story.split(";"):
        if text.strip():
            decision, state = state.run(text)
            assert decision.refusal is None, (text, str(decision.refusal))
    return state


def write_outcome(decision: Decision, after: StoryState) -> str:
    """The outcome as a table states it."""
    names = {row.id: f"#{row.seq}" for row in after.rows}
    parts = [_write_row(row, names) for row in decision.rows]
    if decision.refusal is not None:
        parts.append(f"refused {decision.refusal.code}{_write_facts(decision.refusal)}")
    return "; ".join([*parts, _write_account(decision.account, names)])


def read_instant(text: str) -> int:
    """The instant of a number of seconds, or of a date."""
    if "-" in text:
        return from_wire("instant", datetime.fromisoformat(text).isoformat() + "Z")
    whole, _, micros = text.partition(".")
    return _START + int(whole) * SECOND + int(micros.ljust(6, "0") or 0)


def write_instant(instant: int) -> str:
    """The instant as a table states it."""
    since = instant - _START
    if 0 <= since < _SECONDS_SHOWN_MAX:
        return f"{since // SECOND}" + (f".{since % SECOND:06d}" if since % SECOND else "")
    return to_wire(instant).removesuffix("Z").removesuffix(".000000").removesuffix("T00:00:00").removesuffix(":00")


def _after(words: list[str], word: str) -> str:
    return words[words.index(word) + 1]


def _before(words: list[str], word: str) -> int | None:
    return int(words[words.index(word) - 1]) if word in words else None


def _credits(words: list[str]) -> int | None:
    return _before(words, "credits")


def _usage(words: list[str]) -> Usage | None:
    if "units" in words:
        return Usage(units=_before(words, "units"))
    if "in" not in words and "out" not in words:
        return None
    model = next(word for word in words if word in PRICED_BY.catalog.features["chat"].models)
    return Usage(None, model, _before(words, "in"), _before(words, "cached"), _before(words, "out"))


def _category(words: list[str]) -> Category:
    named: list[Category] = [category for category in get_args(Category) if category in words]
    return named[0] if named else "admin"


def _write_row(row: Transaction, names: dict[str, str]) -> str:
    detail = row.read_detail()
    moves = [f"{_name(part.grant_id, names)} {part.movement} {part.amount:+d}" for part in row.read_allocations()]
    facts = []
    if detail.price is not None and detail.price != row.credits_consumed:
        facts.append(f"price {detail.price}")
    if detail.shortfall:
        facts.append(f"short {detail.shortfall}")
    if detail.refunded:
        facts.append(f"refunded {detail.refunded}")
    for at in (detail.hold.expires_at if detail.hold else None, detail.hold_expires_at):
        facts += [] if at is None else [f"until {write_instant(at)}"]
    words = [f"@{write_instant(row.created_at)}", row.kind, f"{row.amount:+d}" if row.amount else "0"]
    words += [f"[{', '.join(moves)}]"] if moves else []
    words += [f"({', '.join(facts)})"] if facts else []
    return " ".join(words)


def _write_facts(refusal: RefusedError) -> str:
    data = refusal.data()
    shown = {
        "insufficient-credits": ("required", "available"),
        "refund-limit": ("left",),
        "adjust-limit": ("available",),
        "hold-ended": ("state", "ended_at"),
        "fair-use-limit": ("opens_at",),
        "trial-refused": ("reason",),
        "invalid-usage": ("field",),
        "not-refundable": ("kind",),
    }.get(refusal.code, ())
    texts = [data[name] for name in shown]
    texts = [
        write_instant(from_wire("at", text)) if name.endswith("_at") and text else text
        for name, text in zip(shown, texts, strict=True)
    ]
    return "".join(f" {name.removesuffix('_at')} {text}" for name, text in zip(shown, texts, strict=True))


def _write_account(account: Account, names: dict[str, str]) -> str:
    if not account.exists:
        return "no account"
    words = f"{account.plan} {account.remaining} of {account.total}"
    words += f", held {account.held}" if account.held else ""
    words += f", owed {account.owed}" if account.owed else ""
    words += f", {account.standing}" if account.standing != "open" else ""
    words += ": " + ", ".join(_write_grant(grant, names) for grant in account.grants) if account.grants else ""
    return "; ".join([words, *_write_term(account), *_write_window(account)])


def _write_grant(grant: Grant, names: dict[str, str]) -> str:
    facts = [f"held {grant.held}"] if grant.held else []
    facts += [f"until {write_instant(grant.expires_at)}"] if grant.expires_at is not None else []
    facts += ["for " + "+".join(grant.features)] if grant.features is not None else []
    facts += ["over" if grant.over == "expired" else "voided"] if grant.over is not None else []
    facts += ["later"] if grant.pending else []
    left = str(grant.remaining) if grant.remaining == grant.amount else f"{grant.remaining}/{grant.amount}"
    return f"{_name(grant.id, names)} {left}" + (f" ({', '.join(facts)})" if facts else "")


def _write_term(account: Account) -> list[str]:
    term = account.subscription
    if term is None:
        return []
    facts = [f"given {term.given}"]
    facts += ["trial"] if term.trial else []
    facts += ["over"] if term.next_at is None else []
    facts += [f"next {write_instant(term.next_at)}"] if term.next_at not in (None, term.ends_at) else []
    facts += ["then cancelled"] if term.cancelled else [f"then {term.next_plan}"] if term.next_plan else []
    return [f"term until {write_instant(term.ends_at)} ({', '.join(facts)})"]


def _write_window(account: Account) -> list[str]:
    return [f"fair use {sum(uses for _, uses in window.counts)}" for window in account.windows]


def _name(grant_id: str, names: dict[str, str]) -> str:
    row_id, _, place = grant_id.partition(".")
    return names.get(row_id, row_id) + (f".{place}" if place else "")

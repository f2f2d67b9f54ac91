"""What `sixpence account show` and `holds` print for people."""

from collections.abc import Sequence
from typing import Any

import click

from sixpence.cli.terminal.tables import facts, table


def print_overview(overview: dict[str, Any]) -> None:
    """Print an account: its facts, its live grants, its holds if there are any, and its latest transactions."""
    credits = overview["credits"]
    facts(credits["account_id"], _facts(credits))
    click.echo("\nLive grants, in the order in which they are spent")
    _print_grants(credits["grants"])
    if overview["holds"]:
        click.echo("\nOpen holds, those that end first first")
        print_holds(overview["holds"])
    click.echo("\nLatest transactions")
    _print_transactions(overview["transactions"])


def print_holds(holds: Sequence[dict[str, Any]]) -> None:
    """Print open holds as a table."""
    table(
        ("feature", "amount", "expires", "covered by the plan", "id"),
        [
            (each["feature"], str(each["amount"]), each["expires_at"], "yes" if each["covered"] else "no", each["id"])
            for each in holds
        ],
    )


def _facts(credits: dict[str, Any]) -> list[tuple[str, str]]:
    """What there is to say of an account; what it does not have is left out, but for what everybody asks."""
    waiting, fair_use = credits["waiting_plan"], credits["fair_use"]
    told = [
        ("label", credits["label"] or "none"),
        ("plan", _plan(credits)),
        ("standing", credits["standing"]),
        ("remaining", str(credits["remaining"])),
        ("held", str(credits["held"])),
        ("total", str(credits["total"])),
        ("next expiry", _coming(credits["next_expiry_amount"], credits["next_expiry_at"]) or "none"),
        ("version", str(credits["version"])),
        ("owed", f"{credits['owed']} of {credits['overdraft']} allowed" if credits["owed"] else ""),
        ("scheduled", str(credits["scheduled"] or "")),
        ("next credits", _coming(credits["next_allowance_amount"], credits["next_allowance_at"])),
        ("term ends", credits["term_ends_at"] or ""),
        ("plan to come", f"{waiting['plan']} at {waiting['at']}" if waiting else ""),
        ("fair use", f"{fair_use['used']} of {fair_use['uses']} in any {fair_use['per']}" if fair_use else ""),
        ("opens", (fair_use["opens_at"] or "") if fair_use else ""),
    ]
    return [(name, value) for name, value in told if value]


def _plan(credits: dict[str, Any]) -> str:
    words = [credits["subscription_status"]]
    if credits["unlimited"]:
        words.append("unlimited")
    if credits["trial"]:
        words.append("on trial")
    return ", ".join(words)


def _coming(amount: int, at: str | None) -> str:
    return f"{amount} at {at}" if at else ""


def _print_grants(grants: Sequence[dict[str, Any]]) -> None:
    table(
        ("category", "remaining", "of", "held", "from", "expires", "features", "state", "id"),
        [
            (
                each["category"],
                str(each["remaining"]),
                str(each["amount"]),
                str(each["held"]),
                each["effective_at"],
                each["expires_at"] or "never",
                ", ".join(each["features"] or ["all"]),
                each["over"] or ("scheduled" if each["pending"] else "rolled over" if each["rolled"] else "live"),
                each["id"],
            )
            for each in grants
        ],
    )


def _print_transactions(transactions: Sequence[dict[str, Any]]) -> None:
    table(
        ("seq", "when", "kind", "amount", "balance", "feature", "reason", "by", "id"),
        [
            (
                str(each["seq"]),
                each["created_at"],
                each["kind"],
                f"{each['amount']:+}",
                str(each["balance_after"]),
                each["feature_used"] or "",
                each["reason"] or "",
                each["actor"] or "",
                each["id"],
            )
            for each in transactions
        ],
    )

"""The text that `sixpence account show` and `holds` print for people."""

from collections.abc import Sequence
from typing import Any

import click

from sixpence.cli.terminal.printing import print_facts, print_table
from sixpence.core.reports.labels import format_change, kind_label


def print_overview(overview: dict[str, Any]) -> None:
    """Print an account: its facts, its live grants, its holds if there are any, and its latest transactions."""
    credits = overview["credits"]
    print_facts(credits["account_id"], _facts(credits))
    click.echo("\nLive grants, in the order in which they are spent")
    _print_grants(credits["grants"])
    if overview["holds"]:
        click.echo("\nOpen holds, in the order in which they expire")
        print_holds(overview["holds"])
    click.echo("\nLatest transactions")
    _print_transactions(overview["transactions"])


def print_holds(holds: Sequence[dict[str, Any]]) -> None:
    """Print open holds as a table."""
    print_table(
        ("feature", "amount", "expires", "covered by the plan", "id"),
        [
            (each["feature"], str(each["amount"]), each["expires_at"], "yes" if each["covered"] else "no", each["id"])
            for each in holds
        ],
    )


def _facts(credits: dict[str, Any]) -> list[tuple[str, str]]:
    """The facts of an account by name. Empty ones are left out, except the first eight."""
    waiting, fair_use = credits["waiting_plan"], credits["fair_use"]
    facts = [
        ("label", credits["label"] or "none"),
        ("plan", _plan(credits)),
        ("standing", credits["standing"]),
        ("remaining", str(credits["remaining"])),
        ("held", str(credits["held"])),
        ("total", str(credits["total"])),
        ("next expiry", _amount_at(credits["next_expiry_amount"], credits["next_expiry_at"]) or "none"),
        ("version", str(credits["version"])),
        ("owed", f"{credits['owed']} of {credits['overdraft']} allowed" if credits["owed"] else ""),
        ("scheduled", str(credits["scheduled"] or "")),
        ("next credits", _amount_at(credits["next_allowance_amount"], credits["next_allowance_at"])),
        ("term ends", credits["term_ends_at"] or ""),
        ("next plan", f"{waiting['plan']} at {waiting['at']}" if waiting else ""),
        ("fair use", f"{fair_use['used']} of {fair_use['uses']} in any {fair_use['per']}" if fair_use else ""),
        ("usable again", (fair_use["opens_at"] or "") if fair_use else ""),
    ]
    return [(name, value) for name, value in facts if value]


def _plan(credits: dict[str, Any]) -> str:
    parts = [credits["subscription_status"]]
    if credits["unlimited"]:
        parts.append("unlimited")
    if credits["trial"]:
        parts.append("on trial")
    return ", ".join(parts)


def _amount_at(amount: int, at: str | None) -> str:
    return f"{amount} at {at}" if at else ""


def _print_grants(grants: Sequence[dict[str, Any]]) -> None:
    print_table(
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


def _use(transaction: dict[str, Any]) -> str:
    """The feature; for a use from a hold with its price, which the amount does not show."""
    if transaction["kind"] != "capture":
        return transaction["feature_used"] or ""
    return kind_label(
        "capture",
        feature=transaction["feature_used"],
        plan=transaction["subscription_status"],
        amount=transaction["amount"],
        credits_consumed=transaction["credits_consumed"],
    )


def _print_transactions(transactions: Sequence[dict[str, Any]]) -> None:
    print_table(
        ("seq", "when", "kind", "amount", "balance", "feature", "reason", "by", "id"),
        [
            (
                str(each["seq"]),
                each["created_at"],
                each["kind"],
                format_change(each["amount"]),
                str(each["balance_after"]),
                _use(each),
                each["reason"] or "",
                each["actor"] or "",
                each["id"],
            )
            for each in transactions
        ],
    )

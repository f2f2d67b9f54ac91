"""`sixpence account plan`, `cancel-plan`, `freeze`, `unfreeze` and `close`: an account's plan and its standing."""

from typing import TYPE_CHECKING, Any

import click

from sixpence.cli.account.confirm import Preview, account_path, change, change_options

if TYPE_CHECKING:
    from sixpence.cli.operator.operator import Operator


@click.command()
@click.argument("account_id", metavar="ID")
@click.argument("plan_name", metavar="PLAN")
@click.option("--trial", is_flag=True, help="Start with the trial that the catalog defines.")
@change_options()
def plan(
    account_id: str, plan_name: str, trial: bool, reason: str, yes: bool, key: str | None, database: str | None
) -> None:
    """Put the account ID on PLAN: at once if it is a higher plan, otherwise at the end of the running term.

    \b
    Examples:
      sixpence account plan user_1 pro --reason "paid by invoice 7"
      sixpence account plan user_1 pro --trial --reason "a trial was promised"

    At once means: unspent credits of the old plan end, and the new allowance is granted. `sixpence catalog show` lists
    the plans.
    """
    done = change(
        account_path(account_id, "plan"),
        {"plan": plan_name, "trial": trial, "reason": reason},
        account_id=account_id,
        preview=_preview_plan(account_id, f"putting it on {plan_name}{' for a trial' if trial else ''}"),
        yes=yes,
        key=key,
        database=database,
    )
    _print_plan(done)


@click.command(name="cancel-plan")
@click.argument("account_id", metavar="ID")
@change_options()
def cancel_plan(account_id: str, reason: str, yes: bool, key: str | None, database: str | None) -> None:
    """Cancel the plan of the account ID: it runs to the end of its term, then the default plan follows.

    \b
    Example:
      sixpence account cancel-plan user_1 --reason "the customer cancelled"

    No credits roll over. To undo it, put the account on its plan again: sixpence account plan.
    """
    done = change(
        account_path(account_id, "plan", "cancel"),
        {"reason": reason},
        account_id=account_id,
        preview=_preview_plan(account_id, "cancelling it"),
        yes=yes,
        key=key,
        database=database,
    )
    _print_plan(done)


@click.command()
@click.argument("account_id", metavar="ID")
@change_options(confirms=False)
def freeze(account_id: str, reason: str, key: str | None, database: str | None) -> None:
    """Freeze the account ID: it can spend nothing and place no holds until it is unfrozen.

    \b
    Example:
      sixpence account freeze user_1 --reason "the card was stolen"

    Open holds can still be captured, refunds still work, and credits are still granted and expire.
    """
    _change_standing(account_id, "freeze", "freezing it", reason=reason, yes=True, key=key, database=database)


@click.command()
@click.argument("account_id", metavar="ID")
@change_options(confirms=False)
def unfreeze(account_id: str, reason: str, key: str | None, database: str | None) -> None:
    """Unfreeze the account ID: it can spend again.

    \b
    Example:
      sixpence account unfreeze user_1 --reason "it was a mistake"
    """
    _change_standing(account_id, "unfreeze", "unfreezing it", reason=reason, yes=True, key=key, database=database)


@click.command()
@click.argument("account_id", metavar="ID")
@change_options()
def close(account_id: str, reason: str, yes: bool, key: str | None, database: str | None) -> None:
    """Close the account ID, permanently: its credits are void, and it neither receives nor spends any more.

    \b
    Example:
      sixpence account close user_1 --reason "the customer left"

    Open holds can still be captured. The ledger is kept.
    """
    _change_standing(account_id, "close", "closing it permanently", reason=reason, yes=yes, key=key, database=database)


def _change_standing(
    account_id: str, action: str, doing: str, *, reason: str, yes: bool, key: str | None, database: str | None
) -> None:
    def preview(_operator: "Operator", credits: dict[str, Any]) -> str:
        return f"{account_id} is {credits['standing']} and has {credits['remaining']} credits; {doing}."

    done = change(
        account_path(account_id, action),
        {"reason": reason},
        account_id=account_id,
        preview=preview,
        yes=yes,
        key=key,
        database=database,
    )
    click.echo(f"{done['account_id']} is {done['standing']}: {done['remaining']} remaining.")


def _preview_plan(account_id: str, doing: str) -> Preview:
    def preview(_operator: "Operator", credits: dict[str, Any]) -> str:
        plan = credits["subscription_status"]
        return f"{account_id} is on {plan} and has {credits['remaining']} credits; {doing}."

    return preview


def _print_plan(done: dict[str, Any]) -> None:
    term = done["term"]
    duration = ""
    if term is not None and (term["next_plan"] or term["cancelled"]):
        duration = f", until {term['ends_at']}, then on {term['next_plan'] or 'the default plan'}"
    elif term is not None:
        duration = f", {'on trial ' if term['trial'] else ''}until {term['ends_at']}"
    click.echo(f"{done['account_id']} is on {done['subscription_status']}{duration}: {done['remaining']} remaining.")

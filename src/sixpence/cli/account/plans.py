"""`sixpence account plan`, `cancel-plan`, `freeze`, `unfreeze` and `close`: its plan, and how it stands."""

from typing import TYPE_CHECKING, Any

import click

from sixpence.cli.account.confirm import Preview, account_path, change, change_options

if TYPE_CHECKING:
    from sixpence.cli.operator.operator import Operator


@click.command()
@click.argument("account_id", metavar="ID")
@click.argument("plan_name", metavar="PLAN")
@click.option("--trial", is_flag=True, help="Try it first, for as long and with as much as the catalog says.")
@change_options()
def plan(
    account_id: str, plan_name: str, trial: bool, reason: str, yes: bool, key: str | None, database: str | None
) -> None:
    """Put the account ID on PLAN: a higher one now, another at the end of the running term.

    \b
    Examples:
      sixpence account plan user_1 pro --reason "paid by invoice 7"
      sixpence account plan user_1 pro --trial --reason "asked at the fair"

    At once means that unspent credits of the old plan end and the new allowance comes. `sixpence catalog show` has the
    plans.
    """
    done = change(
        account_path(account_id, "plan"),
        {"plan": plan_name, "trial": trial, "reason": reason},
        account_id=account_id,
        preview=_on_plan(account_id, f"putting it on {plan_name}{' to try it' if trial else ''}"),
        yes=yes,
        key=key,
        database=database,
    )
    _tell_plan(done)


@click.command(name="cancel-plan")
@click.argument("account_id", metavar="ID")
@change_options()
def cancel_plan(account_id: str, reason: str, yes: bool, key: str | None, database: str | None) -> None:
    """Let the plan of the account ID run to the end of its term, and then fall to the default plan.

    \b
    Example:
      sixpence account cancel-plan user_1 --reason "asked for it"

    Nothing rolls over. To undo it, put the account on its plan again: sixpence account plan.
    """
    done = change(
        account_path(account_id, "plan", "cancel"),
        {"reason": reason},
        account_id=account_id,
        preview=_on_plan(account_id, "cancelling it"),
        yes=yes,
        key=key,
        database=database,
    )
    _tell_plan(done)


@click.command()
@click.argument("account_id", metavar="ID")
@change_options(asks=False)
def freeze(account_id: str, reason: str, key: str | None, database: str | None) -> None:
    """Let the account ID spend nothing and set nothing aside, until it is unfrozen.

    \b
    Example:
      sixpence account freeze user_1 --reason "the card was stolen"

    What is held can still be captured, refunds go on, and credits keep coming and expiring.
    """
    _stand(account_id, "freeze", "freezing it", reason=reason, yes=True, key=key, database=database)


@click.command()
@click.argument("account_id", metavar="ID")
@change_options(asks=False)
def unfreeze(account_id: str, reason: str, key: str | None, database: str | None) -> None:
    """Let the account ID spend again.

    \b
    Example:
      sixpence account unfreeze user_1 --reason "it was a mistake"
    """
    _stand(account_id, "unfreeze", "unfreezing it", reason=reason, yes=True, key=key, database=database)


@click.command()
@click.argument("account_id", metavar="ID")
@change_options()
def close(account_id: str, reason: str, yes: bool, key: str | None, database: str | None) -> None:
    """End the account ID, for good: its credits are void, and nothing comes or goes any more.

    \b
    Example:
      sixpence account close user_1 --reason "left"

    What is held can still be captured. The ledger stays.
    """
    _stand(account_id, "close", "closing it for good", reason=reason, yes=yes, key=key, database=database)


def _stand(
    account_id: str, how: str, words: str, *, reason: str, yes: bool, key: str | None, database: str | None
) -> None:
    def preview(_operator: "Operator", credits: dict[str, Any]) -> str:
        return f"{account_id} is {credits['standing']} and has {credits['remaining']} credits; {words}."

    done = change(
        account_path(account_id, how),
        {"reason": reason},
        account_id=account_id,
        preview=preview,
        yes=yes,
        key=key,
        database=database,
    )
    click.echo(f"{done['account_id']} is {done['standing']}: {done['remaining']} remaining.")


def _on_plan(account_id: str, words: str) -> Preview:
    def preview(_operator: "Operator", credits: dict[str, Any]) -> str:
        plan = credits["subscription_status"]
        return f"{account_id} is on {plan} and has {credits['remaining']} credits; {words}."

    return preview


def _tell_plan(done: dict[str, Any]) -> None:
    term = done["term"]
    then = ""
    if term is not None and (term["next_plan"] or term["cancelled"]):
        then = f", until {term['ends_at']}, then on {term['next_plan'] or 'the default plan'}"
    elif term is not None:
        then = f", {'on trial ' if term['trial'] else ''}until {term['ends_at']}"
    click.echo(f"{done['account_id']} is on {done['subscription_status']}{then}: {done['remaining']} remaining.")

"""`sixpence catalog`: through a server, without one, and on PostgreSQL; and the catalog row that `serve` prints."""

import json
import sqlite3

from tests.support.server import ServerProcess

CATALOG = """
[features.interior]
credits = 2
title = "Interior"

[plans.free]
signup_credits = 3

[plans.pro]
unlimited = true
rank = 10
"""


def test_catalog_apply_puts_file_in_force(installation: ServerProcess) -> None:
    """Prices apply from the next version on; applying the same file again changes nothing."""
    before = json.loads(installation.run("catalog", "show", "--json").stdout)["version"]
    (installation.home / "sixpence.toml").write_text(CATALOG)

    first = installation.run("catalog", "apply")
    again = installation.run("catalog", "apply", "sixpence.toml")

    shown = json.loads(installation.run("catalog", "show", "--json").stdout)
    applied = f"sixpence.toml is in force as version {before + 1}; before it was {before}."
    assert first.stdout.splitlines()[-1] == applied
    assert again.stdout == f"sixpence.toml is in force already, as version {before + 1}.\n"
    assert (shown["version"], shown["catalog"]["features"]) == (
        before + 1,
        {"interior": {"credits": 2, "title": "Interior"}},
    )
    assert shown["earlier"] == []


def test_catalog_diff_changes_nothing_and_apply_prints_it_too(installation: ServerProcess) -> None:
    """`diff` lists the changes and counts the affected accounts; `apply` prints the same list."""
    (installation.home / "sixpence.toml").write_text(CATALOG)
    installation.run("catalog", "apply", "--yes")
    installation.run("account", "grant", "ada@example.com", "5")
    draft = CATALOG.replace("credits = 2", "credits = 3").replace("[plans.pro]", "[plans.team]")
    (installation.home / "draft.toml").write_text(draft + "allowance = 100\nperiod = 'month'\n")
    before = json.loads(installation.run("catalog", "show", "--json").stdout)["version"]

    equal = installation.run("catalog", "diff")
    differs = installation.run("catalog", "diff", "draft.toml")
    after = json.loads(installation.run("catalog", "show", "--json").stdout)["version"]
    applied = installation.run("catalog", "apply", "draft.toml")

    changes = f"""\
draft.toml changes version {before}, which is in force:
- feature interior: a call costs 3 instead of 2
- plan pro is removed: accounts on it cannot use anything until they are put on another plan
- plan team is new: rank 10, every use is free, 100 credits each month
Accounts on these plans: 0 on pro.
"""
    nothing = f"sixpence.toml changes nothing: it equals version {before}, which is in force.\n"
    assert (equal.returncode, equal.stdout) == (0, nothing)
    assert (differs.returncode, differs.stdout) == (
        0,
        changes + "To put it in force: sixpence catalog apply draft.toml\n",
    )
    assert after == before
    assert applied.stdout == changes + f"draft.toml is in force as version {before + 1}; before it was {before}.\n"


def test_catalog_check_needs_no_database(idle: ServerProcess) -> None:
    """A valid file is confirmed, and every problem of an invalid one is listed; no database is created."""
    (idle.home / "sixpence.toml").write_text(CATALOG)
    (idle.home / "bad.toml").write_text("[features.a]\ncredits = -1\n[plans.free]\nallowance = 5\n")

    good = idle.run("catalog", "check")
    bad = idle.run("catalog", "check", "bad.toml")
    missing = idle.run("catalog", "check", "none.toml")

    assert (good.returncode, good.stdout) == (
        0,
        "sixpence.toml is a valid catalog. Features: interior. Plans: free, pro.\nNew accounts start on free.\n",
    )
    assert (bad.returncode, bad.stdout) == (1, "")
    first, *problems = bad.stderr.splitlines()
    assert first == "bad.toml is not a valid catalog:"
    assert [problem.split(": ")[0] for problem in problems] == ["  - features.a.credits", "  - plans.free.allowance"]
    assert "Add period (one of: day, week, month, year), or use signup_credits." in problems[1]
    assert problems[0].endswith(": -1 is not a whole number from 0 to 9007199254740991.")
    assert missing.returncode == 1
    assert sorted(path.name for path in idle.home.iterdir()) == ["bad.toml", "sixpence.toml"]


def test_catalog_check_notes_signup_credits_that_never_arrive(idle: ServerProcess) -> None:
    """Signup credits of another plan than the default one are noted; the catalog is valid all the same."""
    (idle.home / "sixpence.toml").write_text(CATALOG.replace("unlimited = true", "signup_credits = 50"))

    checked = idle.run("catalog", "check")

    assert (checked.returncode, checked.stdout.splitlines()[1:]) == (
        0,
        [
            "New accounts start on free.",
            "Note: plans.pro.signup_credits: these 50 credits never arrive, since every account is made on free. "
            "Give them as an allowance with a period, or make pro the default_plan.",
        ],
    )


def test_catalog_show_prints_text(installation: ServerProcess) -> None:
    """Prices and plans are printed in plain columns."""
    (installation.home / "sixpence.toml").write_text(CATALOG)
    installation.run("catalog", "apply")

    shown = installation.run("catalog", "show").stdout

    assert shown.startswith("Catalog, version ")
    assert "a call costs 2" in shown
    assert "rank 10, every use is free" in shown


def test_catalog_apply_lists_every_problem(installation: ServerProcess) -> None:
    """The whole catalog is checked, and one with problems changes nothing."""
    (installation.home / "bad.toml").write_text("colour = 1\n[features.a]\ncredits = -1\n[plans.free]\nrank = 'x'\n")
    before = installation.run("catalog", "show").stdout

    done = installation.run("catalog", "apply", "bad.toml")

    assert (done.returncode, done.stdout) == (1, "")
    assert [name for name in ("colour", "features.a.credits", "plans.free.rank") if name not in done.stderr] == []
    assert installation.run("catalog", "show").stdout == before


def test_unreadable_catalog_version_is_reported(idle: ServerProcess) -> None:
    """Show and apply name the version and the remedy."""
    idle.run("catalog", "show")
    (idle.home / "sixpence.toml").write_text(CATALOG)
    with sqlite3.connect(idle.home / "credits.db") as connection:
        connection.execute("UPDATE catalog_versions SET document = '{}'")

    shown = idle.run("catalog", "show")
    applied = idle.run("catalog", "apply", "--yes")

    assert (shown.returncode, applied.returncode) == (1, 1)
    assert (
        shown.stderr
        == applied.stderr
        == "Catalog version 1 cannot be read: Object missing required field `features`. Put its row of the table "
        "catalog_versions back from a backup; if no transaction names it, delete it.\n"
    )


def test_catalog_apply_reports_missing_file(idle: ServerProcess) -> None:
    """The message has the file's name and the remedy."""
    done = idle.run("catalog", "apply", "none.toml")

    assert done.returncode == 1
    assert done.stderr == "file: none.toml cannot be read (No such file or directory). Name a sixpence.toml.\n"


def test_serve_prints_differences_of_catalog_file(server: ServerProcess) -> None:
    """An unapplied file changes no price; the server prints its differences, and how to apply it."""
    draft = CATALOG + "\n[features.poster]\ncredits = 4\n"
    (server.home / "sixpence.toml").write_text(draft)

    server.restart()

    last = server.log[server.log.rindex("Sixpence ") :]
    assert "version 1, which sixpence.toml would change:" in last
    assert "- feature exterior is removed: " in last
    assert "- feature poster is new: a call costs 4" in last
    assert "- feature interior: a call costs 2 instead of 1" in last
    assert "- plan free: a new account on it gets 3 credits at sign-up instead of 6" in last
    assert "To put the file in force: sixpence catalog apply sixpence.toml" in last

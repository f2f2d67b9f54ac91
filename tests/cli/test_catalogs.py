"""`sixpence catalog`: through a server, without one, and on PostgreSQL; and what `serve` says of the file."""

import json

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


def test_a_catalog_is_put_in_force(installation: ServerProcess) -> None:
    """The file prices from now on, as the next version; applying it again changes nothing."""
    before = json.loads(installation.run("catalog", "show", "--json").stdout)["version"]
    (installation.home / "sixpence.toml").write_text(CATALOG)

    first = installation.run("catalog", "apply")
    again = installation.run("catalog", "apply", "sixpence.toml")

    shown = json.loads(installation.run("catalog", "show", "--json").stdout)
    assert first.stdout == f"sixpence.toml is in force as version {before + 1}; before it was {before}.\n"
    assert again.stdout == f"sixpence.toml is in force already, as version {before + 1}.\n"
    assert (shown["version"], shown["catalog"]["features"]) == (
        before + 1,
        {"interior": {"credits": 2, "title": "Interior"}},
    )


def test_a_catalog_in_words(installation: ServerProcess) -> None:
    """A person reads prices and plans in plain columns."""
    shown = installation.run("catalog", "show").stdout

    assert shown.startswith("Catalog, version ")
    assert "feature " in shown
    assert "plan " in shown


def test_every_problem_is_named(installation: ServerProcess) -> None:
    """A catalog is checked whole, and one with problems changes nothing."""
    (installation.home / "bad.toml").write_text("colour = 1\n[features.a]\ncredits = -1\n[plans.free]\nrank = 'x'\n")
    before = installation.run("catalog", "show").stdout

    done = installation.run("catalog", "apply", "bad.toml")

    assert (done.returncode, done.stdout) == (1, "")
    assert [name for name in ("colour", "features.a.credits", "plans.free.rank") if name not in done.stderr] == []
    assert installation.run("catalog", "show").stdout == before


def test_a_missing_file_is_named(idle: ServerProcess) -> None:
    """The file's name and what to do are in the sentence."""
    done = idle.run("catalog", "apply", "none.toml")

    assert done.returncode == 1
    assert done.stderr == "file: none.toml cannot be read (No such file or directory). Name a sixpence.toml.\n"


def test_serve_says_how_the_file_differs(server: ServerProcess) -> None:
    """A draft does not price; the server says in words what it would change, and how to put it in force."""
    draft = CATALOG + "\n[features.poster]\ncredits = 4\n"
    (server.home / "sixpence.toml").write_text(draft)

    server.restart()

    last = server.log[server.log.rindex("Sixpence ") :]
    assert "version 1, which sixpence.toml would change:" in last
    assert "- feature 'exterior' goes" in last
    assert "- feature 'poster' is new" in last
    assert "- feature 'interior': credits is 1 and becomes 2" in last
    assert "- plan 'free': signup_credits is 6 and becomes 3" in last
    assert "To put the file in force: sixpence catalog apply sixpence.toml" in last

"""`write_explanation`: the lines of an explanation for each kind of transaction, after stories."""

import pytest

from sixpence.core.reports.explanation_text import SHOWN_MAX, write_explanation
from tests.core.reports.explained_stories import explanation, words
from tests.core.story_table import run_story

CASES: list[tuple[str, int, list[str]]] = [
    (
        "@0 ensure; @1 use interior",
        2,
        [
            "2026-01-01 00:00:01 UTC, transaction 2 of ada@example.com: interior was used and cost 2 credits.",
            "Rules: consume, burn-down; prices and plans of catalog version 3.",
            "Price: 1 call x 2 credits = 2.",
            "Grants:",
            "  2 spent: signup grant #1 from 2026-01-01 00:00:00 UTC without expiry",
            "Balance: 6 - 2 = 4.",
            "Came back since: 0 of 2; 2 can still be refunded.",
        ],
    ),
    (
        "@0 ensure; @1 grant 3 promo until 90; @2 use interior 2 units; @3 refund #3 1; @100 refund #3 2",
        3,
        [
            "2026-01-01 00:00:02 UTC, transaction 3 of ada@example.com: interior was used and cost 4 credits.",
            "Rules: consume, burn-down; prices and plans of catalog version 3.",
            "Price: 2 calls x 2 credits = 4.",
            "Grants:",
            "  3 spent: promo grant #2 from 2026-01-01 00:00:01 UTC until 2026-01-01 00:01:30 UTC",
            "  1 spent: signup grant #1 from 2026-01-01 00:00:00 UTC without expiry",
            "Balance: 9 - 4 = 5.",
            "Came back since: 3 of 4; 1 can still be refunded.",
            "Since then:",
            "  2026-01-01 00:00:03 UTC refund of interior, 1 credit: balance +1",
            "  2026-01-01 00:01:40 UTC refund of interior, 2 credits: balance +2",
        ],
    ),
    (
        "@0 ensure; @1 grant 3 promo until 90; @2 use interior; @100 refund #3",
        5,
        [
            "2026-01-01 00:01:40 UTC, transaction 5 of ada@example.com: a refund gave back 2 credits of the use of "
            "2026-01-01 00:00:02 UTC of interior.",
        ],
    ),
    (
        "@0 ensure; @1 hold interior 2 units; @2 plan pro; @3 capture #2 3 units",
        4,
        [
            "2026-01-01 00:00:03 UTC, transaction 4 of ada@example.com: interior was used from a hold and cost 4 "
            "credits; 4 had been set aside, and 0 came back.",
            "Rules: capture, beyond the hold; prices and plans of catalog version 3, what went beyond the hold of "
            "version 3.",
            "Price: 3 calls x 2 credits = 6.",
            "Charged: 4 of 6; plan pro pays for what goes beyond the hold.",
            "Grants:",
            "  4 spent of what was set aside: signup grant #1 from 2026-01-01 00:00:00 UTC without expiry",
            "Balance: 2 + 0 = 2.",
            "Came back since: 0 of 4; 4 can still be refunded.",
        ],
    ),
    (
        "@0 ensure; @1 plan pro; @2 use interior 3 units",
        3,
        [
            "2026-01-01 00:00:02 UTC, transaction 3 of ada@example.com: interior was used and cost nothing, since plan "
            "pro is unlimited.",
            "Rules: consume, unlimited plan; prices and plans of catalog version 3.",
            "Price: 3 calls x 2 credits = 6.",
            "Charged: 0 of 6, since plan pro pays for it.",
            "Balance: 6 + 0 = 6.",
            "No later transaction is about it.",
        ],
    ),
    (
        "@0 ensure; @1 hold interior 2 units; @2 capture #2 3 credits",
        2,
        [
            "2026-01-01 00:00:01 UTC, transaction 2 of ada@example.com: 4 credits were set aside for interior until "
            "2026-01-01 00:01:01 UTC.",
            "Rules: hold, burn-down; prices and plans of catalog version 3.",
            "Price: 2 calls x 2 credits = 4.",
            "Grants:",
            "  4 set aside: signup grant #1 from 2026-01-01 00:00:00 UTC without expiry",
            "Balance: 6 - 4 = 2, and 4 held.",
            "Since then:",
            "  2026-01-01 00:00:02 UTC used interior: 3 credits, set aside earlier: balance +1",
        ],
    ),
    (
        "@0 ensure; @1 hold interior 2 units; @2 capture #2 3 credits",
        3,
        [
            "2026-01-01 00:00:02 UTC, transaction 3 of ada@example.com: interior was used from a hold and cost 3 "
            "credits; 4 had been set aside, and 1 came back.",
            "Rules: capture; prices and plans of catalog version 3.",
            "Price: 3, named by the caller and not calculated from a usage.",
            "Grants:",
            "  3 spent of what was set aside: signup grant #1 from 2026-01-01 00:00:00 UTC without expiry",
            "  1 given back by the hold: signup grant #1 from 2026-01-01 00:00:00 UTC without expiry",
            "Balance: 2 + 1 = 3.",
            "Came back since: 0 of 3; 3 can still be refunded.",
        ],
    ),
    (
        "@0 ensure; @1 hold interior 2 units; @2 capture #2",
        3,
        [
            "2026-01-01 00:00:02 UTC, transaction 3 of ada@example.com: interior was used from a hold and cost 4 "
            "credits; 4 had been set aside, and 0 came back.",
            "Rules: capture; prices and plans of catalog version 3.",
            "Price: 2 calls x 2 credits = 4.",
            "Grants:",
            "  4 spent of what was set aside: signup grant #1 from 2026-01-01 00:00:00 UTC without expiry",
            "Balance: 2 + 0 = 2.",
            "Came back since: 0 of 4; 4 can still be refunded.",
        ],
    ),
    (
        "@0 ensure; @1 hold interior; @90 capture #2 late",
        4,
        [
            "2026-01-01 00:01:30 UTC, transaction 4 of ada@example.com: interior was used, after its hold had timed "
            "out, and cost 2 credits.",
            "Rules: consume, late capture, burn-down; prices and plans of catalog version 3.",
            "Price: 1 call x 2 credits = 2.",
            "Grants:",
            "  2 spent: signup grant #1 from 2026-01-01 00:00:00 UTC without expiry",
            "Balance: 6 - 2 = 4.",
            "Came back since: 0 of 2; 2 can still be refunded.",
        ],
    ),
    (
        "@0 ensure; @1 use interior 0 units",
        2,
        [
            "2026-01-01 00:00:01 UTC, transaction 2 of ada@example.com: interior was used and cost 0 credits.",
            "Rules: consume; prices and plans of catalog version 3.",
            "Price: 0 calls x 2 credits = 0.",
            "Balance: 6 + 0 = 6.",
            "No later transaction is about it.",
        ],
    ),
    (
        "@0 ensure; @1 hold interior 3 units; @2 capture #2 9 credits up to what is there",
        3,
        [
            "2026-01-01 00:00:02 UTC, transaction 3 of ada@example.com: interior was used from a hold and cost 6 "
            "credits; 6 had been set aside, and 0 came back.",
            "Rules: capture, beyond the hold; prices and plans of catalog version 3, what went beyond the hold of "
            "version 3.",
            "Price: 9, named by the caller and not calculated from a usage.",
            "Charged: 6 of 9; short by 3.",
            "Grants:",
            "  6 spent of what was set aside: signup grant #1 from 2026-01-01 00:00:00 UTC without expiry",
            "Balance: 0 + 0 = 0.",
            "Came back since: 0 of 6; 6 can still be refunded.",
        ],
    ),
    (
        "@0 ensure; @1 grant 30 priority 1; @2 plan postpaid; @2 use interior 15 units; @3 void #2 revoke",
        5,
        [
            "2026-01-01 00:00:03 UTC, transaction 5 of ada@example.com: grant #2 was cancelled, which took 0 credits "
            "of it; of its spent credits 20 became a debt, and 10 could not be taken.",
            "Rules: void, revoke spent; prices and plans of catalog version 3.",
            "Grants:",
            "  20 added to what is owed: the plan's overdraft",
            "Balance: 6 - 20 = -14.",
            "No later transaction is about it.",
        ],
    ),
    (
        "@0 ensure; @2026-01-31 plan team; @2026-02-14 plan basic; @2026-02-28 tick",
        4,
        [
            "2026-02-28 00:00:00 UTC, transaction 4 of ada@example.com: 50 credits of the unspent allowance "
            "rolled over; 250 above the cap expired.",
            "Rules: rollover; prices and plans of catalog version 3.",
            "Grants:",
            "  50 carried over into a new grant: plan grant #2 from 2026-01-31 00:00:00 UTC until "
            "2026-02-28 00:00:00 UTC",
            "  250 expired: plan grant #2 from 2026-01-31 00:00:00 UTC until 2026-02-28 00:00:00 UTC",
            "  50 given: rolled-over plan grant #4 from 2026-02-28 00:00:00 UTC until 2026-04-30 00:00:00 UTC",
            "Balance: 306 - 250 = 56.",
            "No later transaction is about it.",
        ],
    ),
    (
        "@0 ensure; @1 adjust -2",
        2,
        [
            "2026-01-01 00:00:01 UTC, transaction 2 of ada@example.com: the balance was corrected by hand: 2 credits "
            "taken.",
            "Rules: adjust, burn-down.",
            "Grants:",
            "  2 taken back by hand: signup grant #1 from 2026-01-01 00:00:00 UTC without expiry",
            "Balance: 6 - 2 = 4.",
            "By ops@example.com: Counted again",
            "No later transaction is about it.",
        ],
    ),
]

# The first line alone, after "transaction N of ada@example.com: ".
SENTENCES: list[tuple[str, int, str]] = [
    ("@0 ensure", 1, "the account was opened on plan free with 6 credits."),
    ("@0 ensure; @1 ensure key k1", 2, "the account was requested again; it existed, and nothing changed."),
    ("@0 ensure; @1 grant 5", 2, "5 credits were granted."),
    ("@0 ensure; @1 grant 5 from 50", 2, "5 credits were granted, to take effect on 2026-01-01 00:00:50 UTC."),
    (
        "@0 ensure; @1 grant 5 from 50; @60 tick",
        3,
        "5 credits that had been granted for this time took effect.",
    ),
    (
        "@0 ensure; @1 grant 5 until 50; @60 tick",
        3,
        "a grant ended, and 5 credits of it expired unspent.",
    ),
    (
        "@0 ensure; @1 plan pro; @2 hold interior",
        3,
        "a hold for interior was placed until 2026-01-01 00:01:02 UTC; plan pro pays for the use, and nothing was "
        "set aside.",
    ),
    (
        "@0 ensure; @1 hold interior; @2 extend #2 for 600",
        3,
        "the hold on interior was given more time, until 2026-01-01 00:10:02 UTC.",
    ),
    (
        "@0 ensure; @1 hold interior; @2 release #2",
        3,
        "the hold on interior was released: 2 credits can be spent again.",
    ),
    ("@0 ensure; @1 hold interior; @90 tick", 3, "the hold on interior timed out: 2 credits can be spent again."),
    (
        "@0 ensure; @1 hold interior; @90 capture #2 late",
        4,
        "interior was used, after its hold had timed out, and cost 2 credits.",
    ),
    ("@0 ensure; @1 grant 5; @2 void #2", 3, "grant #2 was cancelled, which took 5 credits of it."),
    ("@0 ensure; @1 adjust 4", 2, "the balance was corrected by hand: 4 credits given."),
    ("@0 ensure; @1 plan pro", 2, "the account went from plan free to plan pro."),
    ("@0 ensure; @2026-01-31 plan try trial", 2, "the account went from plan free to plan try to try it."),
    ("@0 ensure; @1 plan pro; @2 plan pro key k1", 3, "plan pro was requested, and the account was on it."),
    (
        "@0 ensure; @2026-01-31 plan team; @2026-02-14 plan basic",
        3,
        "plan basic was requested; it follows plan team on 2026-02-28 00:00:00 UTC.",
    ),
    (
        "@0 ensure; @2026-01-31 plan basic; @2026-02-14 cancel",
        3,
        "plan basic was cancelled; it runs until 2026-02-28 00:00:00 UTC.",
    ),
    (
        "@0 ensure; @2026-01-31 plan team; @2026-02-14 plan basic; @2026-02-15 plan team",
        4,
        "plan team continues after its term ends on 2026-02-28 00:00:00 UTC.",
    ),
    (
        "@0 ensure; @2026-01-31 plan weekly; @2026-02-07 tick",
        4,
        "plan weekly gave 70 credits in its term until 2026-02-14 00:00:00 UTC.",
    ),
    ("@0 ensure; @1 freeze", 2, "the account was frozen: nothing can be spent or set aside until it is unfrozen."),
    ("@0 ensure; @1 freeze; @2 unfreeze", 3, "the account was unfrozen: it can spend again."),
    ("@0 ensure; @1 close", 2, "the account was closed for good, which cancelled 6 credits."),
]


@pytest.mark.parametrize(("story", "seq", "lines"), CASES, ids=lambda value: str(value)[:60])
def test_write_explanation_lines(story: str, seq: int, lines: list[str]) -> None:
    """The sentence, the rules, the arithmetic, the grants, the balance, and the later transactions about it."""
    state = run_story(story)

    assert words(state, seq)[: len(lines)] == lines
    assert len(lines) in (1, len(words(state, seq)))


@pytest.mark.parametrize(("story", "seq", "sentence"), SENTENCES, ids=lambda value: str(value)[:60])
def test_write_explanation_sentence(story: str, seq: int, sentence: str) -> None:
    """The first line has a sentence for each kind, and for each case of it."""
    state = run_story(story)

    assert words(state, seq)[0].split("ada@example.com: ", 1)[1] == sentence


def test_write_explanation_shows_at_most_twelve_grants() -> None:
    """A use that 25 grants pay for names the first twelve in the text, and all of them in the data."""
    grants = "; ".join(f"@{second} grant 1" for second in range(1, 31))
    state = run_story(f"@0 ensure; {grants}; @60 use interior 15 units")

    found = explanation(state, 32)

    assert (len(found.moves), write_explanation(found).count("Grants:")) == (25, 1)
    assert f"  and {25 - SHOWN_MAX} more" in write_explanation(found)


def test_write_explanation_shows_the_latest_twelve_later_transactions() -> None:
    """The latest are shown oldest first, with the number of all."""
    extended = "; ".join(f"@{second} extend #2 for 600" for second in range(2, 32))
    state = run_story(f"@0 ensure; @1 hold interior; {extended}")

    lines = write_explanation(explanation(state, 2))

    assert lines[-1] == f"  the latest {SHOWN_MAX} of 30"
    assert lines[-2].startswith("  2026-01-01 00:00:31 UTC more time")

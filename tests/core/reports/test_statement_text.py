"""A statement as text: a line for each movement in columns, however long the words and large the figures."""

from sixpence.core.reports.statement import Figures, Period, StatementMovement
from sixpence.core.reports.statement_text import StatementText
from tests.core.story_table import read_instant, run_story

STORY = "@0 ensure; @10 grant 50 until 2026-02-01; @86400 use interior; @90000 hold interior 2 units for 7200"


def period(opening: Figures, closing: Figures) -> Period:
    """The first three days of the year."""
    return Period(
        account_id="ada@example.com",
        since=read_instant("0"),
        until=read_instant("2026-01-03"),
        opening=opening,
        closing=closing,
    )


def text_of(frame: Period, movements: list[StatementMovement]) -> str:
    """The whole text."""
    layout = StatementText(frame)
    return layout.head() + layout.lines(movements) + layout.foot()


def test_whole_statement_as_text() -> None:
    """The account and the period, the opening balance, the movements, and the closing balance."""
    rows = run_story(STORY).rows

    text = text_of(period(Figures(), Figures.after(rows[-1])), [StatementMovement.of(row) for row in rows])

    assert text == (
        "Statement of ada@example.com\n"
        "from 2026-01-01 00:00:00 up to 2026-01-03 00:00:00 UTC\n"
        "\n"
        "time (UTC)          what                                       amount    balance\n"
        "--------------------------------------------------------------------------------\n"
        "2026-01-01 00:00:00 opening balance                                            0\n"
        "2026-01-01 00:00:00 account opened on plan free                    +6          6\n"
        "2026-01-01 00:00:10 credits granted                               +50         56\n"
        "2026-01-02 00:00:00 used interior                                  -2         54\n"
        "2026-01-02 01:00:00 set aside for interior                         -4         50\n"
        "2026-01-03 00:00:00 closing balance                                           50\n"
        "\n"
        "0 + 50 = 50 credits, in 4 movements.\n"
        "Also set aside for running work: 4.\n"
    )


def test_text_wraps_long_reasons() -> None:
    """A reason continues in the lines below, and a word that is wider than the column is cut."""
    movement = StatementMovement(
        seq=7,
        id="id",
        kind="adjust",
        created_at=read_instant("5"),
        amount=-3,
        balance_after=-1,
        total_after=3,
        held_after=0,
        plan="free",
        reason=f"counted twice by the robot that {'x' * 50}",
    )

    text = text_of(period(Figures(remaining=2, version=6), Figures(remaining=-1, version=7)), [movement])

    lines = text.splitlines()
    assert lines[6:10] == [
        "2026-01-01 00:00:05 corrected by hand: counted twice by            -3         -1",
        "                    the robot that",
        f"                    {'x' * 38}",
        f"                    {'x' * 12}",
    ]
    assert lines[-1] == "2 - 3 = -1 credits, in 1 movement."
    assert max(map(len, lines)) == 80


def test_text_widens_columns_for_large_figures() -> None:
    """Amounts of sixteen digits are aligned below one another."""
    most = 2**53 - 1
    movement = StatementMovement(
        seq=2,
        id="id",
        kind="grant",
        created_at=read_instant("5"),
        amount=most,
        balance_after=most,
        total_after=most,
        held_after=0,
        plan="free",
    )

    text = text_of(period(Figures(version=1), Figures(remaining=most, total=most, version=2)), [movement])

    opening, moved, closing = text.splitlines()[5:8]
    assert {len(opening), len(moved), len(closing)} == {len(moved)}
    assert moved.endswith(f" +{most}  {most}")


def test_text_of_an_empty_period() -> None:
    """It has its two balances."""
    same = Figures(remaining=5, total=6, plan="free", version=3)

    lines = text_of(period(same, same), []).splitlines()

    assert [line.split()[2:] for line in lines[5:7]] == [["opening", "balance", "5"], ["closing", "balance", "5"]]
    assert lines[-1] == "5 + 0 = 5 credits, in 0 movements."

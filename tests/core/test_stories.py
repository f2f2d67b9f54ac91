"""The stories in cases/stories/: what each command does after what happened before, one line a case."""

import msgspec
import pytest

from sixpence.core.account.account import Account
from sixpence.core.account.commands import Tick
from sixpence.core.account.fold import fold
from sixpence.core.rules.decide import decide
from tests.core.case_table import Case, read_cases
from tests.core.story_table import PRICED_BY, STORIES, run_story, write_outcome

_ALL = [case for path in sorted(STORIES.glob("*.txt")) for case in read_cases(path)]
_REFUSED = [case for case in _ALL if "refused " in case.outcome]


@pytest.mark.parametrize("case", _ALL, ids=lambda case: case.place)
def test_story(case: Case) -> None:
    """The command, after the story, has the outcome that the line states; and the ledger gives the account back."""
    state = run_story(case.state)

    decision, after = state.run(case.command)

    assert write_outcome(decision, after) == case.outcome
    rebuilt = fold(Account(account_no=after.account.account_no, account_id=after.account.account_id), after.rows)
    assert msgspec.msgpack.encode(rebuilt) == msgspec.msgpack.encode(after.account)


@pytest.mark.parametrize("key", ["", " key k1"], ids=["without-key", "with-key"])
@pytest.mark.parametrize("case", _REFUSED, ids=lambda case: case.place)
def test_refused_command_leaves_what_a_tick_leaves(case: Case, key: str) -> None:
    """A refused command has no row: the account is byte for byte what a Tick at that instant alone leaves."""
    state = run_story(case.state)
    before = msgspec.msgpack.encode(state.account)
    clock, _, _ = state.read(case.command)

    refused, _ = state.run(case.command + key)
    ticked = decide(state.account, Tick(), clock=clock, priced_by=PRICED_BY)

    assert refused.refusal is not None
    assert (refused.row, refused.rows) == (None, ticked.rows)
    assert msgspec.msgpack.encode(refused.account) == msgspec.msgpack.encode(ticked.account)
    assert msgspec.msgpack.encode(state.account) == before


def test_every_command_has_a_story() -> None:
    """Every command word is the tested command of some line, and every table has lines."""
    words = {case.command.split()[1] for case in _ALL}

    assert words >= {
        *("ensure", "grant", "use", "hold", "extend", "capture", "release", "refund", "void", "adjust"),
        *("plan", "cancel", "freeze", "unfreeze", "close", "tick"),
    }
    assert all(read_cases(path) for path in STORIES.glob("*.txt"))

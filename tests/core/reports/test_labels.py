"""Every kind of transaction and every movement has words, so that a new one without them fails here."""

from typing import get_args

import pytest

from sixpence.core.account.movement import Movement
from sixpence.core.account.transaction import Kind
from sixpence.core.reports.labels import KINDS, MOVEMENTS, of_kind
from sixpence.core.reports.rule_names import RULES
from sixpence.core.reports.sentences import SENTENCES


def test_every_kind_has_words_a_sentence_and_a_rule() -> None:
    """The three tables have all kinds there are, and no other."""
    kinds = set(get_args(Kind))

    assert (set(KINDS), set(SENTENCES), set(RULES)) == (kinds, kinds, kinds)


def test_every_movement_has_words() -> None:
    """So has the table of movements."""
    assert set(MOVEMENTS) == set(get_args(Movement))


@pytest.mark.parametrize("kind", get_args(Kind))
def test_a_kind_is_told_without_gaps(kind: Kind) -> None:
    """Feature and plan are put in where they belong; where there is none it reads well all the same."""
    told, bare = of_kind(kind, feature="video", plan="pro"), of_kind(kind, feature=None, plan="")

    assert not set("{}") & set(told + bare)
    assert len(told) <= 38


def test_words_of_a_use_and_of_a_plan() -> None:
    """Two of them in full."""
    told = of_kind("consume", feature="video", plan="pro"), of_kind("allowance", feature=None, plan="pro")

    assert told == ("used video", "allowance of plan pro")

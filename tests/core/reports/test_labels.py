"""Every kind of transaction and every movement has a label, so that a new one without a label fails here."""

from typing import get_args

import pytest

from sixpence.core.account.movement import Movement
from sixpence.core.account.transaction import Kind
from sixpence.core.reports.deciding_rules import RULES
from sixpence.core.reports.labels import KINDS, MOVEMENTS, kind_label
from sixpence.core.reports.sentences import SENTENCES


def test_every_kind_has_a_label_a_sentence_and_a_rule() -> None:
    """The three tables have all kinds, and no other."""
    kinds = set(get_args(Kind))

    assert (set(KINDS), set(SENTENCES), set(RULES)) == (kinds, kinds, kinds)


def test_every_movement_has_a_label() -> None:
    """The table has all movements, and no other."""
    assert set(MOVEMENTS) == set(get_args(Movement))


@pytest.mark.parametrize("kind", get_args(Kind))
def test_kind_label_has_no_gaps(kind: Kind) -> None:
    """Feature and plan are filled in; without them the label still reads well."""
    label, bare = kind_label(kind, feature="video", plan="pro"), kind_label(kind, feature=None, plan="")

    assert not set("{}") & set(label + bare)
    assert len(label) <= 38


def test_kind_label_of_a_use_and_of_a_plan() -> None:
    """Two labels in full."""
    labels = kind_label("consume", feature="video", plan="pro"), kind_label("allowance", feature=None, plan="pro")

    assert labels == ("used video", "allowance of plan pro")

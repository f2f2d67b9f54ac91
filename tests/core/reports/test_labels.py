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


@pytest.mark.parametrize(
    ("amount", "consumed", "label"),
    [
        (0, 1, "used video: 1 credit, set aside earlier"),
        (2, 3, "used video: 3 credits, set aside earlier"),
        (-2, 5, "used video: 5 credits, 3 of it set aside earlier"),
        (-5, 5, "used video: 5 credits"),
        (0, 0, "used video, from a hold"),
        (4, None, "used video, from a hold"),
    ],
)
def test_kind_label_of_a_capture_has_its_price(amount: int, consumed: int | None, label: str) -> None:
    """The balance changed only by what was not set aside; the label has the whole price."""
    assert kind_label("capture", feature="video", plan="pro", amount=amount, credits_consumed=consumed) == label


def test_kind_label_of_a_use_and_of_a_plan() -> None:
    """Two labels in full."""
    labels = kind_label("consume", feature="video", plan="pro"), kind_label("allowance", feature=None, plan="pro")

    assert labels == ("used video", "allowance of plan pro")

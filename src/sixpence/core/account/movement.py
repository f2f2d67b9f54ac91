"""Movements: everything that can happen to credits on a grant, and the effect of each, in one table.

A movement's amount is signed as it is recorded: granted +6, consumed -1. Its effect is that amount times the factors
below, so that a new movement is a new line and no new arithmetic. Not here: which kind of row may carry which movement
(`audit.movements`).
"""

from typing import Literal

import msgspec

Movement = Literal[
    "granted",
    "scheduled",
    "took_effect",
    "consumed",
    "held",
    "released",
    "captured",
    "lapsed",
    "expired",
    "rolled",
    "trimmed",
    "voided",
    "unscheduled",
    "adjusted",
    "refunded",
    "withheld",
    "repaid",
    "charged_back",
]

# The overdraft behaves as a grant of this id, whose `remaining` is the debt, below zero.
OVERDRAFT = "overdraft"


class Effect(msgspec.Struct, frozen=True):
    """What one recorded credit does to the grant's `remaining` and `held`, and to the account's spendable and total."""

    remaining: int
    held: int
    spendable: int
    total: int


EFFECTS: dict[Movement, Effect] = {
    "granted": Effect(1, 0, 1, 1),
    # Before its effective time a grant counts neither as spendable nor in the total.
    "scheduled": Effect(1, 0, 0, 0),
    "took_effect": Effect(0, 0, 1, 1),
    # The total includes consumed credits, so neither spending nor refunding changes it.
    "consumed": Effect(1, 0, 1, 0),
    "refunded": Effect(1, 0, 1, 0),
    "repaid": Effect(1, 0, 1, 0),
    # Held credits are not spendable.
    "held": Effect(0, -1, 1, 0),
    "released": Effect(0, -1, 1, 0),
    "captured": Effect(1, 1, 0, 0),
    # What a hold gives back to a grant that is over expires at once.
    "lapsed": Effect(1, 1, 0, 1),
    "expired": Effect(1, 0, 1, 1),
    "rolled": Effect(1, 0, 1, 1),
    "trimmed": Effect(1, 0, 1, 1),
    "voided": Effect(1, 0, 1, 1),
    "unscheduled": Effect(1, 0, 0, 0),
    "adjusted": Effect(1, 0, 1, 1),
    # A refund to a voided grant gives nothing spendable.
    "withheld": Effect(0, 0, 0, -1),
    "charged_back": Effect(1, 0, 1, 1),
}

# After these a grant is over: it exists only while some of it is held.
ENDS = frozenset(("expired", "voided"))
# These take back granted credits, so the grant's own amount is smaller afterwards.
LOWERS_THE_GRANT = frozenset(("trimmed", "adjusted"))


class Allocation(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """One movement on one grant."""

    grant_id: str
    movement: Movement
    amount: int


def net(allocations: tuple[Allocation, ...]) -> tuple[int, int, int]:
    """Return the effect of the movements on what can be spent (a row's `amount`), on what is held, and on the total."""
    spendable = held = total = 0
    for part in allocations:
        effect = EFFECTS[part.movement]
        spendable += effect.spendable * part.amount
        held += effect.held * part.amount
        total += effect.total * part.amount
    return spendable, held, total

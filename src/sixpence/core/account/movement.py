"""Movements: everything that can happen to credits on a grant, and what each does, in one table.

A movement's amount is signed as it is written down: granted +6, consumed -1. What it does is that amount times the
factors below, so that a new movement is a new line and no new arithmetic.
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

# What a plan lets an account owe behaves as a grant of this id, whose `remaining` is what is owed, below zero.
OVERDRAFT = "overdraft"


class Effect(msgspec.Struct, frozen=True):
    """What one credit written down does: to the grant's `remaining` and `held`, the account's spendable and total."""

    remaining: int
    held: int
    spendable: int
    total: int


EFFECTS: dict[Movement, Effect] = {
    "granted": Effect(1, 0, 1, 1),
    # Before its effective time a grant counts nowhere but in itself.
    "scheduled": Effect(1, 0, 0, 0),
    "took_effect": Effect(0, 0, 1, 1),
    # What is spent stays in the total, which counts consumption back in; so does what is given back.
    "consumed": Effect(1, 0, 1, 0),
    "refunded": Effect(1, 0, 1, 0),
    "repaid": Effect(1, 0, 1, 0),
    # What is held left what can be spent when it was set aside.
    "held": Effect(0, -1, 1, 0),
    "released": Effect(0, -1, 1, 0),
    "captured": Effect(1, 1, 0, 0),
    # What a hold gives back of a grant that is over is gone at once.
    "lapsed": Effect(1, 1, 0, 1),
    "expired": Effect(1, 0, 1, 1),
    "rolled": Effect(1, 0, 1, 1),
    "trimmed": Effect(1, 0, 1, 1),
    "voided": Effect(1, 0, 1, 1),
    "unscheduled": Effect(1, 0, 0, 0),
    "adjusted": Effect(1, 0, 1, 1),
    # Given back to a voided grant: it was refunded, and there is nothing to spend.
    "withheld": Effect(0, 0, 0, -1),
    "charged_back": Effect(1, 0, 1, 1),
}

# After these a grant is over: it lives on only while something of it is held.
ENDS = frozenset(("expired", "voided"))
# These take from what was given, not from what was spent: the grant's own amount is smaller afterwards.
LOWERS_THE_GRANT = frozenset(("trimmed", "adjusted"))


class Allocation(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """One movement on one grant."""

    grant_id: str
    movement: Movement
    amount: int


def net(allocations: tuple[Allocation, ...]) -> tuple[int, int, int]:
    """What the movements do to what can be spent (a row's `amount`), to what is held, and to the total."""
    spendable = held = total = 0
    for part in allocations:
        effect = EFFECTS[part.movement]
        spendable += effect.spendable * part.amount
        held += effect.held * part.amount
        total += effect.total * part.amount
    return spendable, held, total

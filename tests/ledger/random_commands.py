"""Random commands of every kind for one account, which name the rows of earlier ones.

Not here: running them and verifying the ledger.
"""

import random

from sixpence.core.account.commands import (
    Adjust,
    CancelPlan,
    CaptureHold,
    ChangePlan,
    Command,
    Consume,
    EnsureAccount,
    ExtendHold,
    Freeze,
    GrantCredits,
    PlaceHold,
    Refund,
    ReleaseHold,
    Tick,
    Unfreeze,
    VoidGrant,
)
from sixpence.core.account.transaction import grant_id
from sixpence.core.catalog.price import Usage
from sixpence.ledger.writer.batch import Accepted, Outcome
from tests.ledger.writer.worker_driver import CATALOG


class RandomCommands:
    """The ids that an account's commands may name, and its next command."""

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice
        self._holds: list[str] = []
        self._uses: list[str] = []
        self._grants: list[str] = []

    def remember(self, outcome: Outcome) -> None:
        """Remember the ids that an accepted command made."""
        row = outcome.row if isinstance(outcome, Accepted) else None
        if row is None:
            return
        self._holds += [row.id] if row.kind == "hold" else []
        self._uses += [row.id] if row.kind in ("consume", "capture") else []
        self._grants += [grant_id(row.id, place) for place in range(len(row.read_detail().grants))]

    def next(self, now: int) -> Command:
        """A command of any kind, most often one that spends, holds or ends a hold."""
        dice, day = self._dice, 86_400_000_000
        feature = dice.choice(("sketch", "video"))
        hold_id, use_id, given_id = map(self._one_of, (self._holds, self._uses, self._grants))
        spending: list[Command] = [
            Consume(feature=feature, usage=Usage(units=dice.randint(0, 3))),
            PlaceHold(feature=feature, ttl_seconds=dice.choice((60, 3_600, 90_000)), amount=dice.choice((None, 0, 2))),
            CaptureHold(hold_id=hold_id, amount=dice.choice((None, 0, 1, 4))),
            CaptureHold(hold_id=hold_id, amount=9, mode="up_to_available", late=dice.random() < 0.5),
            Refund(transaction_id=use_id, amount=dice.choice((None, 1))),
        ]
        others: list[Command] = [
            ReleaseHold(hold_id=hold_id),
            ExtendHold(hold_id=hold_id, ttl_seconds=dice.choice((60, 90_000))),
            VoidGrant(grant_id=given_id, revoke_spent=dice.random() < 0.5),
            GrantCredits(amount=3, priority=1, effective_at=dice.choice((None, now + day // 2))),
            GrantCredits(amount=5, expires_at=now + day, features=dice.choice((None, ("sketch",)))),
            Adjust(amount=dice.choice((-2, 3)), reason="r", actor="a"),
            ChangePlan(plan=dice.choice(list(CATALOG.plans)), trial=dice.random() < 0.2),
            dice.choice((CancelPlan(), EnsureAccount(), Tick(), Freeze(), Unfreeze(), Unfreeze())),
        ]
        return dice.choice(spending if dice.random() < 0.6 else others)

    def _one_of(self, ids: list[str]) -> str:
        return self._dice.choice(ids[-9:] or ["nobody's"])

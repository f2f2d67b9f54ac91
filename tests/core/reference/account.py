"""A second implementation of the rules: slow, plain, and independent of the one that Sixpence uses.

It stores no balance and no list of live grants. It remembers every credit ever given, used, set aside and refunded, and
computes the state at an instant from all of it. Rows, holds and gifts (its word for grants) are called by their
numbers: a command for it names "7" where one for the ledger has an id.
"""

from dataclasses import dataclass, field

from sixpence.core.account.commands import (
    Adjust,
    CancelPlan,
    CaptureHold,
    ChangePlan,
    Close,
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
from sixpence.core.catalog.catalog import Catalog, PricedBy
from tests.core.reference.due_changes import apply_due_changes
from tests.core.reference.grants import adjust, grant, refund, void, void_everything
from tests.core.reference.memory import Gift, Memory, Row
from tests.core.reference.plans import Change, begin_or_resume_term, cancel_plan, change_plan
from tests.core.reference.uses import Refused, capture_hold, consume, extend_hold, place_hold, release_hold

_CLOSED_TO = (GrantCredits, Refund, Adjust, ChangePlan, CancelPlan, Freeze, Unfreeze)


@dataclass
class Reference:
    """One account, with all that ever happened to it."""

    memory: Memory = field(default_factory=Memory)

    @property
    def rows(self) -> list[Row]:
        """All rows so far."""
        return self.memory.rows

    def run(
        self, command: Command, *, clock: int, priced_by: PricedBy, keyed: bool
    ) -> tuple[list[Row], Refused | None]:
        """The rows that the command leaves, and the refusal if it is refused."""
        memory = self.memory
        now = max([clock, *(row.at for row in memory.rows[-1:])])
        already = len(memory.rows)
        apply_due_changes(memory, now, priced_by)
        refused = self._do(command, now, priced_by, keyed)
        assert not memory.unwritten
        return memory.rows[already:], refused

    def _do(self, command: Command, now: int, priced_by: PricedBy, keyed: bool) -> Refused | None:
        memory, catalog = self.memory, priced_by.catalog
        match command:
            case Tick():
                return None
            case EnsureAccount():
                self._ensure(now, catalog, keyed)
            case _ if not memory.rows:
                return Refused("account-not-found")
            case _ if memory.standing == "closed" and isinstance(command, _CLOSED_TO):
                return Refused("account-closed")
            case GrantCredits():
                return grant(memory, command, now, catalog)
            case Consume():
                return consume(memory, command, now, priced_by)
            case PlaceHold():
                return place_hold(memory, command, now, priced_by)
            case ExtendHold():
                return extend_hold(memory, command, now)
            case CaptureHold():
                return capture_hold(memory, command, now, priced_by)
            case ReleaseHold():
                return release_hold(memory, command, now)
            case Refund():
                return refund(memory, command, now, catalog)
            case VoidGrant():
                return void(memory, command, now, catalog)
            case Adjust():
                return adjust(memory, command, now)
            case ChangePlan():
                change = change_plan(memory, command.plan, trial=command.trial, now=now, catalog=catalog)
                return self._changed("plan_change", change, now, keyed)
            case CancelPlan():
                return self._changed("plan_change", cancel_plan(memory, now=now, catalog=catalog), now, keyed)
            case Freeze() | Unfreeze():
                self._freeze_or_unfreeze(command, now, keyed)
            case Close():
                self._close(now, keyed)
        return None

    def _ensure(self, now: int, catalog: Catalog, keyed: bool) -> None:
        memory = self.memory
        if memory.rows:
            self._changed("ensure", Change(), now, keyed)
            return
        memory.plan = catalog.default_plan
        plan = catalog.plans[memory.plan]
        if plan.signup_credits:
            memory.give(Gift("1", plan.signup_credits, "signup", now, None), "granted")
        begin_or_resume_term(memory, plan, now)
        memory.write("signup", now)

    def _freeze_or_unfreeze(self, command: Freeze | Unfreeze, now: int, keyed: bool) -> None:
        kind, standing = ("freeze", "frozen") if isinstance(command, Freeze) else ("unfreeze", "open")
        changed = self.memory.standing != standing
        self.memory.standing = standing
        self._changed(kind, Change(changed=changed), now, keyed)

    def _close(self, now: int, keyed: bool) -> None:
        if self.memory.standing == "closed":
            self._changed("close", Change(), now, keyed)
            return
        self.memory.standing, self.memory.term = "closed", None
        self.memory.aside.clear()
        void_everything(self.memory, now)

    def _changed(self, kind: str, change: Change, now: int, keyed: bool) -> Refused | None:
        if change.refused is not None:
            return Refused(change.refused)
        if change.changed or keyed:
            self.memory.write(kind, now)
        return None

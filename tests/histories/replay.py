"""Replaying an account: the reference runs the requests in the ledger's order, and gives every expected answer.

The reference (tests/core/reference) was written apart from what Sixpence decides by. It runs each row's command at the
row's own time; what fell due it finds by itself. Not here: whether the order is possible at all (real_time.py).
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from copy import copy, deepcopy
from dataclasses import dataclass, replace

from sixpence.core.account.commands import Tick
from sixpence.core.catalog.catalog import PricedBy
from tests.core.reference import Reference
from tests.core.reference import Row as ReferenceRow
from tests.histories.figures import expected_answer, expected_read, fields_of, plain, refusal_matches
from tests.histories.history import Call, Row
from tests.histories.matching import Request
from tests.histories.wording import READ, to_command


@dataclass(frozen=True, slots=True)
class Refusal:
    """A refused call and the versions at which it may have been decided: from `first` to `last`, or to any."""

    call: Call
    first: int
    last: int | None


class Replay:
    """One account, as far as it has been replayed."""

    def __init__(self, priced_by: PricedBy) -> None:
        self._priced_by = priced_by
        self._reference = Reference()

    def run(
        self,
        rows: Sequence[Row],
        requests: Mapping[int, Request],
        looks: Sequence[Call],
        refusals: Sequence[Refusal],
    ) -> tuple[str, str] | None:
        """The first difference from the reference, as (what, words).

        `requests` are given by the seq of their rows. After a row that differs nothing can be said of what follows.
        """
        shown: dict[int, list[Call]] = defaultdict(list)
        for look in looks:
            shown[look.body["version"]].append(look)
        waiting = sorted(refusals, key=lambda refusal: refusal.first)
        place = 0
        pending: list[Refusal] = []
        for seq in range(len(rows) + 1):
            if seq:
                fault = self._advance(rows[seq - 1], requests.get(seq))
                if fault is not None:
                    return fault
            for look in shown.pop(seq, []):
                expected = expected_read(look.asked, self._reference)
                if fields_of(look.body, expected) != expected:
                    return "wrong read", f"{look}, where the reference has {expected}"
            while place < len(waiting) and waiting[place].first <= seq:
                pending.append(waiting[place])
                place += 1
            pending = [refusal for refusal in pending if not self._explains(refusal.call)]
            for refusal in pending:
                if refusal.last is not None and refusal.last <= seq:
                    return self._unexplained(refusal)
        if pending:
            return self._unexplained(pending[0])
        for refusal in waiting[place:]:
            return self._unexplained(refusal)
        for version, calls in shown.items():
            return "wrong read", f"{calls[0]}, and the ledger ends at {len(rows)} before {version}"
        return None

    def _advance(self, row: Row, request: Request | None) -> tuple[str, str] | None:
        rows = self._reference.rows
        if len(rows) < row.seq:
            command = Tick() if request is None else to_command(request.asked)
            keyed = request is not None and request.asked.key is not None
            _, refused = self._reference.run(command, clock=row.at, priced_by=self._priced_by, keyed=keyed)
            if len(rows) < row.seq:
                why = "nothing was due" if refused is None else f"the reference refuses: {refused}"
                return "impossible row", f"{row} of {_name(request)}: {why}"
        expected = rows[row.seq - 1]
        if plain(row) != plain(expected):
            return "wrong row", f"{row} of {_name(request)}, where the reference has {expected}"
        return None if request is None else self._wrong_answer(request, expected)

    def _wrong_answer(self, request: Request, row: ReferenceRow) -> tuple[str, str] | None:
        if not request.accepted:
            return None
        answer = request.accepted[0]
        expected = expected_answer(request.asked, row, self._reference)
        if fields_of(answer.body, expected) != expected:
            return "wrong answer", f"{answer}, where the reference has {expected}"
        return None

    def _explains(self, call: Call) -> bool:
        """Whether the account in its current state refuses like this, at the first or at the last instant of the call.

        Between them only what is refused for the time itself can change, and that once: whatever falls due has a row.
        """
        rows = self._reference.rows
        if call.asked.kind == READ:
            return not rows and call.body.get("code") == "account-not-found"
        figures = {"remaining": rows[-1].remaining, "held": rows[-1].held} if rows else {}
        if any(name in call.body and call.body[name] != value for name, value in figures.items()):
            return False
        return any(self._refuses(call, clock) for clock in (call.called_at, call.returned_at or call.called_at))

    def _refuses(self, call: Call, clock: int) -> bool:
        trial = _fork(self._reference)
        command, keyed = to_command(call.asked), call.asked.key is not None
        made, refused = trial.run(command, clock=clock, priced_by=self._priced_by, keyed=keyed)
        # If something falls due first, it gets its own rows, and the refusal is checked after those.
        return not made and refused is not None and refusal_matches(call.body, refused)

    def _unexplained(self, refusal: Refusal) -> tuple[str, str]:
        last = "the end" if refusal.last is None else refusal.last
        return "wrong refusal", f"{refusal.call}: at no version from {refusal.first} to {last} it is refused like this"


def _name(request: Request | None) -> str:
    return "what fell due" if request is None else str(request.calls[0])


def _fork(reference: Reference) -> Reference:
    """A copy of the account, so that a trial does not change the original."""
    memory = reference.memory
    uses = {id(use): copy(use) for several in memory.uses.values() for use in several}
    holds = {number: copy(hold) for number, hold in memory.holds.items()}
    for hold in holds.values():
        hold.use = uses.get(id(hold.use))
    return Reference(
        replace(
            memory,
            gifts={name: copy(gift) for name, gift in memory.gifts.items()},
            moves={name: list(moves) for name, moves in memory.moves.items()},
            holds=holds,
            uses={seconds: [uses[id(use)] for use in several] for seconds, several in memory.uses.items()},
            rows=list(memory.rows),
            refunds=list(memory.refunds),
            term=deepcopy(memory.term),
            aside=deepcopy(memory.aside),
            tried=list(memory.tried),
            gone=set(memory.gone),
            unwritten=list(memory.unwritten),
            arrivals=list(memory.arrivals),
        )
    )

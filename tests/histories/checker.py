"""Checks a history of real requests: the ledger's order has to explain every answer.

For each account: the rows match the requests (matching.py), their order is possible in real time (real_time.py), and
the reference, replayed in that order, gives every answer, read and refusal (replay.py). The order is known, so nothing
is searched: each account's calls are sorted once and read once. Pure: no I/O, no clock.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from sixpence.core.catalog.catalog import PricedBy
from tests.histories.history import Call, Fault, History, Row
from tests.histories.matching import Request, match
from tests.histories.real_time import Point, disorder, windows
from tests.histories.replay import Refusal, Replay


@dataclass
class Verdict:
    """The faults, and how many calls, rows and answers were checked."""

    faults: list[Fault] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    def add(self, other: "Verdict") -> None:
        """Add another verdict."""
        self.faults += other.faults
        self.counts += other.counts


def check(history: History) -> Verdict:
    """Check every account of the history."""
    calls: dict[str, list[Call]] = defaultdict(list)
    rows: dict[str, list[Row]] = defaultdict(list)
    for call in history.calls:
        calls[call.asked.account].append(call)
    for row in history.rows:
        rows[row.account].append(row)
    verdict = Verdict()
    for account in sorted(calls.keys() | rows.keys()):
        ordered = sorted(rows[account], key=lambda row: row.seq)
        verdict.faults += _check_account(account, calls[account], ordered, history.priced_by, verdict.counts)
    return verdict


def _check_account(
    account: str, calls: Sequence[Call], rows: Sequence[Row], priced_by: PricedBy, counts: Counter[str]
) -> list[Fault]:
    requests, faults = match(account, calls, rows)
    _count(requests, len(rows), counts)
    points = [point for request in requests for point in _points(request)]
    faults += [Fault(account, what, words) for what, words in disorder(points)]
    if any(fault.what == "gap" for fault in faults):
        return faults
    refused = [(request, call) for request in requests for call in request.calls if call.refused]
    spans = windows(points, [(call.called_at, call.returned_at or call.called_at) for _, call in refused])
    refusals = [Refusal(call, first, last) for (_, call), (first, last) in zip(refused, spans, strict=True)]
    for (request, call), (first, _) in zip(refused, spans, strict=True):
        if request.row is not None and request.row.seq <= first:
            faults.append(
                Fault(account, "key forgotten", f"{call}, though its row was at seq {request.row.seq} by then")
            )
    made = {request.row.seq: request for request in requests if request.row is not None}
    reads = [call for request in requests if request.looks for call in request.accepted]
    found = Replay(priced_by).run(rows, made, reads, refusals)
    return faults if found is None else [*faults, Fault(account, *found)]


def _points(request: Request) -> Iterator[Point]:
    """The versions that a request created or showed."""
    if request.looks:
        for call in request.accepted:
            yield Point(call.body["version"], call.called_at, call.returned_at, changes=False, words=call)
    elif request.row is not None:
        # By its row, not by its answer: the ledger's order is under test.
        words = request.accepted[0] if request.accepted else request.calls[0]
        yield Point(request.row.seq, request.called_at, request.returned_at, changes=True, words=words)


def _count(requests: Sequence[Request], rows: int, counts: Counter[str]) -> None:
    for request in requests:
        done = bool(request.accepted)
        counts["calls"] += len(request.calls)
        counts["looks"] += len(request.accepted) if request.looks else 0
        counts["changes acknowledged"] += done and not request.looks
        for call in request.calls:
            if call.refused:
                counts["refusals"] += 1
                counts[call.body.get("code", "refused without a code")] += 1
        counts["sent again under their key"] += request.asked.key is not None and len(request.calls) > 1
        if not done and any(call.unknown for call in request.calls) and not request.looks:
            counts["without an answer, done" if request.row else "without an answer, not done"] += 1
    counts["accounts"] += 1
    counts["rows"] += rows

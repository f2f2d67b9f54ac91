"""Matches requests and rows: every acknowledged change has one row, and there are no others.

Not here: their order (real_time.py), and their figures (replay.py).
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from sixpence.core.values.instant import SECOND
from tests.histories.history import Asked, Call, Fault, Row, has_row
from tests.histories.wording import READ

# The clocks of a client and of the database may differ by this much.
SLACK = SECOND


@dataclass
class Request:
    """A request with all the calls that sent it, and the row that it made, if any."""

    asked: Asked
    calls: list[Call] = field(default_factory=list)
    row: Row | None = None

    @property
    def accepted(self) -> list[Call]:
        """The calls with an accepting answer."""
        return [call for call in self.calls if call.accepted]

    @property
    def called_at(self) -> int:
        """The earliest instant at which it may have been done."""
        return min(call.called_at for call in self.calls)

    @property
    def returned_at(self) -> int | None:
        """The instant by which it was certainly done; None without an answer."""
        return min((call.returned_at for call in self.accepted if call.returned_at is not None), default=None)

    @property
    def looks(self) -> bool:
        """Whether it only shows a balance: a read, or a no-op without a key."""
        if self.asked.kind == READ:
            return True
        return self.asked.key is None and bool(self.accepted) and not any(has_row(call.body) for call in self.accepted)


def match(account: str, calls: Iterable[Call], rows: Sequence[Row]) -> tuple[list[Request], list[Fault]]:
    """The requests of an account with their rows, and the faults; `rows` are in the order of `seq`."""
    requests: dict[int, Request] = {}
    for call in calls:
        requests.setdefault(call.asked.number, Request(call.asked)).calls.append(call)
    faults = [Fault(account, "gap", words) for words in _gaps(rows)]
    numbers: dict[str | None, int] = {
        request.asked.key: number for number, request in requests.items() if request.asked.key is not None
    }
    made: dict[int, list[Row]] = defaultdict(list)
    for row in rows:
        # Ensuring an existing account does not change its metadata, so its key identifies such a row.
        number = row.number if row.number is not None else numbers.get(row.key)
        if number is None:
            continue
        if number in requests:
            requests[number].row = row
            made[number].append(row)
        else:
            faults.append(Fault(account, "unasked", f"seq {row.seq} is of request {number}, which nobody sent"))
    for number, several in made.items():
        if len(several) > 1:
            seqs = ", ".join(str(row.seq) for row in several)
            faults.append(Fault(account, "twice", f"{_first(requests[number])} has a row at seq {seqs}"))
    for request in requests.values():
        faults += [Fault(account, what, words) for what, words in [*_misfits(request), *_untimely(request)]]
    return list(requests.values()), faults


def _gaps(rows: Sequence[Row]) -> list[str]:
    counts = Counter(row.seq for row in rows)
    missing = [f"seq {seq} is missing" for seq in range(1, max(counts, default=0) + 1) if seq not in counts]
    return missing + [f"seq {seq} is there {count} times" for seq, count in counts.items() if count > 1]


def _misfits(request: Request) -> list[tuple[str, str]]:
    row, accepted = request.row, request.accepted
    if request.looks:
        return [] if row is None else [("twice", f"{_first(request)} changes nothing and has a row at seq {row.seq}")]
    if not accepted:
        if row is not None and not any(call.unknown for call in request.calls):
            return [("refused yet written", f"{_first(request)} has a row at seq {row.seq}")]
        return []
    if row is None:
        return [("lost", f"{accepted[0]} is in no row")]
    found = []
    for call in accepted:
        answered = call.body["version"], call.body.get("transaction_id", row.id)
        if answered != (row.seq, row.id):
            found.append(("elsewhere", f"{call} has a row at seq {row.seq} as {row.id}"))
    if len({call.text for call in accepted}) > 1:
        found.append(("answers differ", " and ".join(str(call) for call in accepted)))
    if sum(not call.replayed for call in accepted) > 1:
        found.append(("done again", f"{accepted[0]} was answered as new more than once"))
    return found


def _untimely(request: Request) -> list[tuple[str, str]]:
    """Check that the row's time is between call and answer; all clocks are one machine's, which may be adjusted."""
    row, returned_at = request.row, request.returned_at
    if row is None or (request.called_at - SLACK <= row.at and (returned_at is None or row.at <= returned_at + SLACK)):
        return []
    return [("wrong time", f"{_first(request)} has a row at seq {row.seq} with the time {row.at}")]


def _first(request: Request) -> str:
    return str(request.calls[0])

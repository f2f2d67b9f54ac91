"""A short history of real requests to real servers; the long ones run under `make torture PART=histories`."""

import asyncio
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.histories.checker import check
from tests.histories.history import Call, History
from tests.histories.ledger_rows import read_catalog, read_rows
from tests.histories.setup import serve_fresh_database
from tests.histories.witness_record import read_calls
from tests.ledger.databases import migrated_database, verify_clean
from tests.support.postgres import PostgresDatabases
from tests.torture.histories import send_requests

REQUESTS = 600


@pytest.fixture(scope="module")
def history(postgres_server: PostgresDatabases, tmp_path_factory: pytest.TempPathFactory) -> History:
    """The answers of two servers on one PostgreSQL to many clients, and the ledger at the end."""
    home = tmp_path_factory.mktemp("servers")
    testimony = home / "testimony.jsonl"
    with migrated_database(postgres_server) as url, serve_fresh_database(url, home, servers=2) as served:
        crowd = asyncio.run(send_requests(served, testimony, requests=REQUESTS, clients=16, seed="short"))
        verify_clean(url, decide=True)
        assert crowd.unexpected == []
        return History(read_calls(testimony), read_rows(url), read_catalog(url))


def test_every_answer_is_explained(history: History) -> None:
    """The ledger's order explains all answers: changes, reads and refusals."""
    verdict = check(history)

    assert verdict.faults == []
    assert verdict.counts["calls"] >= REQUESTS
    assert min(verdict.counts[what] for what in ("changes acknowledged", "looks", "refusals")) > 20


@pytest.mark.parametrize("kind", ["consume", "capture_hold", "refund", "read"])
def test_one_wrong_figure_is_found(history: History, kind: str) -> None:
    """One answer with one credit more is found."""
    sent = Counter(call.asked.number for call in history.calls)
    accepted = [place for place, call in enumerate(history.calls) if call.asked.kind == kind and call.accepted]
    place = next(place for place in accepted[len(accepted) // 2 :] if sent[history.calls[place].asked.number] == 1)

    found = check(
        replace(history, calls=[*history.calls[:place], one_more(history.calls[place]), *rest(history, place)])
    )

    assert [fault.what for fault in found.faults] == ["wrong read" if kind == "read" else "wrong answer"]


def test_lost_acknowledged_row_is_found(history: History) -> None:
    """An acknowledged change whose row is removed from the ledger's end is lost."""
    acknowledged = {call.asked.number for call in history.calls if call.accepted}
    gone = max((row for row in history.rows if row.number in acknowledged), key=lambda row: row.at)

    found = check(
        replace(history, rows=[row for row in history.rows if row.at < gone.at or row.account != gone.account])
    )

    assert "lost" in {fault.what for fault in found.faults}


def one_more(call: Call) -> Call:
    """The same answer with a credit more."""
    body = {**call.body, "remaining": call.body["remaining"] + 1}
    return replace(call, body=body, text=json.dumps(body))


def rest(history: History, place: int) -> Iterator[Call]:
    """The calls after that place."""
    yield from history.calls[place + 1 :]

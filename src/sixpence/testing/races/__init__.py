"""Races: many calls at once against an endpoint of an app, judged by the app's ledger afterwards.

    report = await race(app, Call("POST", "/pictures", json={"prompt": "a room"}), ledger=credits, account_id="ada")
    report.check()

The calls use real sockets: in parallel, under repeated keys, with lost answers, with clients that hang up. An app loses
by an overspend, a key that is charged twice, a failure that stays charged, an event that is granted twice, a hold that
stays open; and if it cannot be judged. Not here: load tests, which judge nothing.
"""

from sixpence.testing.races.client.calls import Answer, Call
from sixpence.testing.races.errors import RaceError, RaceLostError
from sixpence.testing.races.judging.findings import Finding
from sixpence.testing.races.judging.report import Report, WaveResult
from sixpence.testing.races.ledgers.served_ledger import ServedLedger
from sixpence.testing.races.running.race import race, race_sync
from sixpence.testing.races.running.waves import WAVES, WaveName

__all__ = [
    "WAVES",
    "Answer",
    "Call",
    "Finding",
    "RaceError",
    "RaceLostError",
    "Report",
    "ServedLedger",
    "WaveName",
    "WaveResult",
    "race",
    "race_sync",
]

"""Races: many calls at once against an endpoint of an app's own, judged by what its ledger says afterwards.

    report = await race(app, Call("POST", "/pictures", json={"prompt": "a room"}), ledger=credits, account_id="ada")
    report.check()

The calls go over real sockets: in parallel, under repeated keys, with answers that get lost, with clients that hang up.
A race is lost by an overspend, a key that is charged twice, a failure that stays charged, an event that is granted
twice, a hold that nobody ends; and by an app that could not be judged. Not here: a load test, which does not judge.
"""

from sixpence.testing.races.calls import Answer, Call
from sixpence.testing.races.errors import RaceError, RaceLostError
from sixpence.testing.races.findings import Finding
from sixpence.testing.races.racing import race, race_sync
from sixpence.testing.races.report import Report, WaveResult
from sixpence.testing.races.served_ledger import ServedLedger
from sixpence.testing.races.waves import WAVES, WaveName

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

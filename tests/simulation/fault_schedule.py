"""The fault schedule: crashes, restarts, outages, clock jumps and other outside events, at random times."""

from functools import partial
from typing import TYPE_CHECKING

from sixpence.core.values.bounds import account_no
from sixpence.core.values.instant import DAY, SECOND
from tests.lockstep.catalogs import CATALOGS
from tests.simulation.database import Session
from tests.simulation.faults import MILLISECOND

if TYPE_CHECKING:
    from tests.simulation.simulation import Simulation

_MINUTE, _HOUR = 60 * SECOND, 3_600 * SECOND
_FORWARD = (SECOND, SECOND, _MINUTE, _MINUTE, _HOUR, _HOUR, _HOUR, 5 * _HOUR, DAY)
# Now and then the clock jumps far, and much falls due.
_FAR_FORWARD = (3 * DAY, 9 * DAY, 33 * DAY, 370 * DAY)
_BACK = (SECOND, _MINUTE, _HOUR, 2 * DAY)
_OUTAGES = (5 * MILLISECOND, 100 * MILLISECOND, 900 * MILLISECOND, 3_000 * MILLISECOND, 12_000 * MILLISECOND)
# The average time until the next one, and the least number of answers in between.
_EVERY = {
    "crash": (300 * MILLISECOND, 20),
    "restart": (400 * MILLISECOND, 40),
    "server falls": (900 * MILLISECOND, 40),
    "clock forward": (400 * MILLISECOND, 50),
    "clock back": (500 * MILLISECOND, 50),
    "catalog": (600 * MILLISECOND, 100),
    "account held by others": (60 * MILLISECOND, 5),
    "permit": (300 * MILLISECOND, 50),
    "job": (200 * MILLISECOND, 20),
}


class FaultSchedule:
    """Injects outside faults until the simulation is calm."""

    def __init__(self, simulation: "Simulation") -> None:
        self._simulation = simulation
        self._next_at_answer: dict[str, int] = {}

    def begin(self) -> None:
        """Schedule the first fault of each kind."""
        if self._simulation.faults.outside:
            for kind in _EVERY:
                self._expect(kind)

    def _expect(self, kind: str) -> None:
        pause = self._simulation.random.randrange(int(2 * _EVERY[kind][0] / self._simulation.faults.outside))
        self._simulation.schedule.at(pause, partial(self._happen, kind))

    def _happen(self, kind: str) -> None:
        simulation = self._simulation
        if simulation.calm:
            return
        self._expect(kind)
        answers = simulation.witness.answers
        if answers < self._next_at_answer.get(kind, 0):
            return
        self._next_at_answer[kind] = answers + _EVERY[kind][1]
        if simulation.database.up or kind in ("crash", "clock forward", "clock back"):
            getattr(self, "_" + kind.replace(" ", "_"))()

    def _crash(self) -> None:
        process = self._simulation.some_process()
        if process is not None:
            self._simulation.trace.fault("crash", "from outside", process.number)
            process.crash()

    def _restart(self) -> None:
        process = self._simulation.some_process()
        if process is not None:
            self._simulation.trace.fault("restart", process.number)
            process.close()

    def _server_falls(self) -> None:
        delay = self._simulation.random.choice(_OUTAGES)
        self._simulation.trace.fault("server falls", delay)
        self._simulation.database.fall(delay)

    def _clock_forward(self) -> None:
        random = self._simulation.random
        far = random.random() < 0.02
        self._jump("clock forward", random.choice(_FAR_FORWARD if far else _FORWARD))

    def _clock_back(self) -> None:
        self._jump("clock back", -self._simulation.random.choice(_BACK))

    def _jump(self, kind: str, by: int) -> None:
        self._simulation.trace.fault(kind, by)
        self._simulation.database.jumped = max(0, self._simulation.database.jumped + by)

    def _catalog(self) -> None:
        database = self._simulation.database
        catalog = self._simulation.random.choice([one for one in CATALOGS if one is not database.priced_by.catalog])
        database.apply(catalog)
        self._simulation.trace.fault("catalog applied", database.priced_by.version)

    def _account_held_by_others(self) -> None:
        account_id, _ = self._simulation.some_account()
        session = Session(self._simulation.database)
        number = account_no(account_id)
        if session.sees(number) and session.lock_if_free(number):
            self._simulation.trace.fault("account held by others", account_id)
        session.linger(self._simulation.random.randrange(self._simulation.faults.lingers_max), commits=False)

    def _permit(self) -> None:
        permit = self._simulation.random.choice(self._simulation.permits)
        self._simulation.database.permits ^= {permit}
        self._simulation.trace.fault("permit given or revoked", permit)

    def _job(self) -> None:
        process = self._simulation.some_process()
        if process is not None:
            self._simulation.trace.fault("job", process.number)
            process.writer.run_job(lambda: None)

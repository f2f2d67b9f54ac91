"""The weather: what befalls processes, the server and its clock from outside, at times that are drawn."""

from functools import partial
from typing import TYPE_CHECKING

from sixpence.core.values.bounds import account_no
from sixpence.core.values.instant import DAY, SECOND
from tests.lockstep.world import CATALOGS
from tests.simulation.database import Session
from tests.simulation.faults import MILLISECOND

if TYPE_CHECKING:
    from tests.simulation.world import World

_MINUTE, _HOUR = 60 * SECOND, 3_600 * SECOND
_FORWARD = (SECOND, SECOND, _MINUTE, _MINUTE, _HOUR, _HOUR, _HOUR, 5 * _HOUR, DAY)
# Now and then a long time passes at once, in which much falls due.
_FAR_FORWARD = (3 * DAY, 9 * DAY, 33 * DAY, 370 * DAY)
_BACK = (SECOND, _MINUTE, _HOUR, 2 * DAY)
_OUTAGES = (5 * MILLISECOND, 100 * MILLISECOND, 900 * MILLISECOND, 3_000 * MILLISECOND, 12_000 * MILLISECOND)
# How long it takes until the next one, on average, and how many answers have to come in between.
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


class Weather:
    """Lets things happen until the world is calm."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self._next_at_answer: dict[str, int] = {}

    def begin(self) -> None:
        """From now on."""
        if self._world.faults.weather:
            for kind in _EVERY:
                self._expect(kind)

    def _expect(self, kind: str) -> None:
        pause = self._world.random.randrange(int(2 * _EVERY[kind][0] / self._world.faults.weather))
        self._world.schedule.at(pause, partial(self._happen, kind))

    def _happen(self, kind: str) -> None:
        world = self._world
        if world.calm:
            return
        self._expect(kind)
        answers = world.witness.answers
        if answers < self._next_at_answer.get(kind, 0):
            return
        self._next_at_answer[kind] = answers + _EVERY[kind][1]
        if world.database.up or kind in ("crash", "clock forward", "clock back"):
            getattr(self, "_" + kind.replace(" ", "_"))()

    def _crash(self) -> None:
        process = self._world.some_process()
        if process is not None:
            self._world.trace.fault("crash", "from outside", process.number)
            process.crash()

    def _restart(self) -> None:
        process = self._world.some_process()
        if process is not None:
            self._world.trace.fault("restart", process.number)
            process.close()

    def _server_falls(self) -> None:
        delay = self._world.random.choice(_OUTAGES)
        self._world.trace.fault("server falls", delay)
        self._world.database.fall(delay)

    def _clock_forward(self) -> None:
        random = self._world.random
        far = random.random() < 0.02
        self._jump("clock forward", random.choice(_FAR_FORWARD if far else _FORWARD))

    def _clock_back(self) -> None:
        self._jump("clock back", -self._world.random.choice(_BACK))

    def _jump(self, kind: str, by: int) -> None:
        self._world.trace.fault(kind, by)
        self._world.database.jumped = max(0, self._world.database.jumped + by)

    def _catalog(self) -> None:
        database = self._world.database
        catalog = self._world.random.choice([one for one in CATALOGS if one is not database.priced_by.catalog])
        database.apply(catalog)
        self._world.trace.fault("catalog applied", database.priced_by.version)

    def _account_held_by_others(self) -> None:
        account_id, _ = self._world.some_account()
        session = Session(self._world.database)
        number = account_no(account_id)
        if session.sees(number) and session.lock_if_free(number):
            self._world.trace.fault("account held by others", account_id)
        session.linger(self._world.random.randrange(self._world.faults.lingers_max), commits=False)

    def _permit(self) -> None:
        permit = self._world.random.choice(self._world.permits)
        self._world.database.permits ^= {permit}
        self._world.trace.fault("permit given or revoked", permit)

    def _job(self) -> None:
        process = self._world.some_process()
        if process is not None:
            self._world.trace.fault("job", process.number)
            process.writer.run_job(lambda: None)

"""What a race is asked for, checked before a call is sent: each refusal names the argument, its value, what to give.

Not here: what only the ledger or the app can tell, such as an account that is frozen (`racing`, `arena`).
"""

import math
from collections.abc import Sequence
from typing import Any

from sixpence.core.values.bounds import shown
from sixpence.service.blocking import SyncCreditService
from sixpence.service.credits import CreditService
from sixpence.testing.races.calls import Call
from sixpence.testing.races.errors import RaceError
from sixpence.testing.races.served_ledger import ServedLedger
from sixpence.testing.races.waves import WAVES, WaveName


def check_ledger(ledger: object) -> None:
    """Raise `RaceError` unless this is something that a race can be judged by."""
    if not isinstance(ledger, (CreditService, SyncCreditService, ServedLedger)):
        remedy = "Give a CreditService on the app's database, or ServedLedger(url, api_key=...) for `sixpence serve`"
        raise RaceError(f"ledger={shown(ledger)} is no ledger. {remedy}.")


def check_calls(*, call: object, failing: object, other: object) -> None:
    """Raise `RaceError` unless each is a call or something that makes one; `failing` and `other` may be left out."""
    for name, given in (("call", call), ("failing", failing), ("other", other)):
        left_out = given is None and name != "call"
        if not (left_out or isinstance(given, Call) or callable(given)):
            raise RaceError(
                f"{name}={shown(given)} is no call. Give a Call(...), or a function that makes one of a key."
            )


def check_figures(*, calls: Any, seed: Any, timeout_seconds: Any, grace_seconds: Any) -> None:
    """Raise `RaceError` for a number that is none, or that would make no race, or one without an end."""
    if type(calls) is not int:
        raise RaceError(f"calls={shown(calls)} is not a whole number. Send at least 2; 30 is enough for most.")
    if calls < 2:
        raise RaceError(f"calls={calls} makes no race. Send at least 2; 30 is enough for most.")
    if seed is not None and type(seed) is not int:
        raise RaceError(f"seed={shown(seed)} is not a whole number. Give one of an earlier report, or leave it out.")
    if not _is_finite(timeout_seconds) or timeout_seconds <= 0:
        raise RaceError(
            f"timeout_seconds={shown(timeout_seconds)} is no time to wait. Give seconds above 0, such as 30."
        )
    if not _is_finite(grace_seconds) or grace_seconds < 0:
        raise RaceError(f"grace_seconds={shown(grace_seconds)} is no time to wait. Give seconds from 0, such as 5.")


def chosen_waves(waves: Sequence[WaveName] | None, *, failing: object, other: object) -> list[WaveName]:
    """The waves to run: those that were asked for, or all that there are calls for; raises `RaceError`."""
    given = {"failing": failing is not None, "other": other is not None, None: True}
    if waves is None:
        return [name for name, wave in WAVES.items() if given[wave.needs]]
    if isinstance(waves, str) or not isinstance(waves, Sequence):
        raise RaceError(f'waves={shown(waves)} is no list. Give one, such as ["at_once"], or leave it out for all.')
    for name in waves:
        if name not in WAVES:
            raise RaceError(f"There is no wave {name!r}. Choose from {', '.join(WAVES)}.")
        if not given[WAVES[name].needs]:
            raise RaceError(f"The wave {name!r} needs `{WAVES[name].needs}`: a call, or a function of a key.")
    if not waves:
        raise RaceError("waves=[] races nothing. Leave it out for all of them.")
    return list(waves)


def _is_finite(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)

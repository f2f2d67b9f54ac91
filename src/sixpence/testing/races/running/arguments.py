"""Checks of a race's arguments before a call is sent: a refusal has the argument, its value and the remedy.

Not here: problems that only the ledger or the app shows, such as a frozen account (`race`, `wave_runner`).
"""

import math
from collections.abc import Sequence
from typing import Any

from sixpence.core.values.bounds import shown
from sixpence.service.blocking import SyncCreditService
from sixpence.service.credits import CreditService
from sixpence.testing.races.client.calls import Call
from sixpence.testing.races.errors import RaceError
from sixpence.testing.races.ledgers.served_ledger import ServedLedger
from sixpence.testing.races.running.waves import WAVES, WaveName


def check_ledger(ledger: object) -> None:
    """Raise `RaceError` unless this is a service or a `ServedLedger`."""
    if not isinstance(ledger, (CreditService, SyncCreditService, ServedLedger)):
        remedy = "Give a CreditService on the app's database, or ServedLedger(url, api_key=...) for `sixpence serve`"
        raise RaceError(f"ledger={shown(ledger)} is no ledger. {remedy}.")


def check_calls(*, call: object, failing: object, other: object) -> None:
    """Raise `RaceError` unless each is a call or a function; `failing` and `other` may be None."""
    for name, given in (("call", call), ("failing", failing), ("other", other)):
        is_optional = given is None and name != "call"
        if not (is_optional or isinstance(given, Call) or callable(given)):
            raise RaceError(
                f"{name}={shown(given)} is no call. Give a Call(...), or a function that returns one for a key."
            )


def check_figures(*, calls: Any, seed: Any, timeout_seconds: Any, grace_seconds: Any) -> None:
    """Raise `RaceError` for a value that is no number, for too few calls, and for an endless time."""
    if type(calls) is not int:
        raise RaceError(f"calls={shown(calls)} is not a whole number. Send at least 2; 30 is enough for most.")
    if calls < 2:
        raise RaceError(f"calls={calls} makes no race. Send at least 2; 30 is enough for most.")
    if seed is not None and type(seed) is not int:
        raise RaceError(f"seed={shown(seed)} is not a whole number. Give the one of an earlier report, or omit it.")
    if not _is_finite(timeout_seconds) or timeout_seconds <= 0:
        raise RaceError(
            f"timeout_seconds={shown(timeout_seconds)} is no time to wait. Give seconds above 0, such as 30."
        )
    if not _is_finite(grace_seconds) or grace_seconds < 0:
        raise RaceError(f"grace_seconds={shown(grace_seconds)} is no time to wait. Give seconds from 0, such as 5.")


def choose_waves(waves: Sequence[WaveName] | None, *, failing: object, other: object) -> list[WaveName]:
    """The waves to run: the given ones, or all whose calls are given; raises `RaceError`."""
    given = {"failing": failing is not None, "other": other is not None, None: True}
    if waves is None:
        return [name for name, wave in WAVES.items() if given[wave.needs]]
    if isinstance(waves, str) or not isinstance(waves, Sequence):
        raise RaceError(f'waves={shown(waves)} is no list. Give one, such as ["at_once"], or omit it for all waves.')
    for name in waves:
        if name not in WAVES:
            raise RaceError(f"waves: there is no wave {name!r}. Choose from {', '.join(WAVES)}.")
        if not given[WAVES[name].needs]:
            needed = WAVES[name].needs
            raise RaceError(f"The wave {name!r} needs `{needed}`. Give it: a call, or a function that returns one.")
    if not waves:
        raise RaceError("waves=[] runs nothing. Omit it for all waves.")
    return list(waves)


def _is_finite(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)

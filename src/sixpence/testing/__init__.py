"""What an app's own tests need: credits in memory, a clock to move, accounts, proofs, and races.

    clock = CreditClock()
    credits = CreditService(Ledger(Memory(), clock=clock))

Everything here is for tests and imported by tests alone. With pytest the fixtures of `sixpence.testing.plugin` are
there by themselves. A name is imported from its place when it is first used, so that a run that wants none pays for
none.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sixpence.ledger.ledger import Ledger
    from sixpence.ledger.sqlite.memory import Memory
    from sixpence.testing.accounts import CreditAccount, CreditAccounts
    from sixpence.testing.clock import CreditClock
    from sixpence.testing.proofs import assert_clean, assert_nothing_held

__all__ = ["CreditAccount", "CreditAccounts", "CreditClock", "Ledger", "Memory", "assert_clean", "assert_nothing_held"]

_PLACES = {
    "sixpence.ledger.ledger": ("Ledger",),
    "sixpence.ledger.sqlite.memory": ("Memory",),
    "sixpence.testing.clock": ("CreditClock",),
    "sixpence.testing.accounts": ("CreditAccount", "CreditAccounts"),
    "sixpence.testing.proofs": ("assert_clean", "assert_nothing_held"),
}
_PLACE_OF = {name: place for place, names in _PLACES.items() for name in names}


def __getattr__(name: str) -> Any:
    """The name, from the module that defines it."""
    if name not in _PLACE_OF:
        raise AttributeError(f"module 'sixpence.testing' has no attribute '{name}'")
    value = getattr(import_module(_PLACE_OF[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """What `from sixpence.testing import ...` offers."""
    return sorted((*globals(), *__all__))

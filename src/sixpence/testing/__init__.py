"""The kit for an app's tests: credits in memory, a clock to move, accounts, proofs, and races.

    clock = CreditClock()
    credits = CreditService(Ledger(Memory(), clock=clock))

Only tests import it. In pytest the fixtures of `sixpence.testing.plugin` are available without an import. A name's
module is imported at the first use of the name, so that a run without credits pays nothing.
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

_NAMES_BY_MODULE = {
    "sixpence.ledger.ledger": ("Ledger",),
    "sixpence.ledger.sqlite.memory": ("Memory",),
    "sixpence.testing.clock": ("CreditClock",),
    "sixpence.testing.accounts": ("CreditAccount", "CreditAccounts"),
    "sixpence.testing.proofs": ("assert_clean", "assert_nothing_held"),
}
_MODULE_OF = {name: module for module, names in _NAMES_BY_MODULE.items() for name in names}


def __getattr__(name: str) -> Any:
    """Import the name from its module."""
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'sixpence.testing' has no attribute '{name}'")
    value = getattr(import_module(_MODULE_OF[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """The names that can be imported."""
    return sorted((*globals(), *__all__))

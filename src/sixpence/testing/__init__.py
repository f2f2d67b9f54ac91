"""What an app's own tests need: credits in memory, a clock to move, accounts, proofs, and races.

    clock = CreditClock()
    credits = CreditService(Memory(), clock=clock)

Everything here is for tests and imported by tests alone. With pytest the fixtures of `sixpence.testing.plugin` are there
by themselves. A name is imported from its place when it is first used, so that a run of tests that wants none pays for
none.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    pass

__all__: list[str] = []

_PLACES: dict[str, tuple[str, ...]] = {}
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

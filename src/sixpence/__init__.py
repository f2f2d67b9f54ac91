"""Usage credits for AI products: the public interface of Sixpence.

    async with CreditService("sqlite:///credits.db") as credits:
        await credits.initialize_user_credits("user_1")
        receipt = await credits.consume_credit("user_1", "interior")
        print(receipt.remaining)

The public names are listed once, in `__init__.pyi`. Each is imported at its first use, so `import sixpence` stays fast.
"""

from functools import cache
from importlib import import_module

__version__ = "0.1.0"


def __getattr__(name: str) -> object:
    """Imports a public name at its first use."""
    if name == "__all__":
        value: object = sorted(_modules())
    elif name in _modules():
        value = getattr(import_module(_modules()[name]), name)
    else:
        raise AttributeError(f"module 'sixpence' has no attribute '{name}'")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Lists the names that `from sixpence import ...` offers."""
    return sorted({*globals(), *_modules()})


@cache
def _modules() -> dict[str, str]:
    """Maps each public name to its module, from the lines `from module import name as name` of `__init__.pyi`."""
    from pkgutil import get_data  # slow to import, and not needed until a name is used

    stub = get_data(__name__, "__init__.pyi") or b""
    words = [line.split() for line in stub.decode().splitlines() if line.startswith("from ")]
    return {name: module for _, module, _, name, *_ in words}

"""Extras: what a plain install lacks, and the name of the extra that brings it.

Not here: psycopg and cryptography, whose users name their extras themselves (`ledger`).
"""

from importlib.util import find_spec

_OF_SERVER = ("starlette", "structlog", "pwdlib", "argon2")


def require_server_extra(importing: str) -> None:
    """Refuse to import the package `importing` without `sixpence[server]`; the error names what is missing."""
    missing = [name for name in _OF_SERVER if not _is_installed(name)]
    if missing:
        problem = f"{importing} needs {', '.join(missing)}, which a plain install of Sixpence lacks."
        raise ModuleNotFoundError(f"{problem} Install sixpence[server].", name=missing[0])


def _is_installed(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError:
        return False

"""The command line: `sixpence = sixpence.cli:main`. See README.md in this folder."""

import sys


def main() -> None:
    """Run the typed command and exit: 0 done, 1 refused with one sentence, 2 a command that was not understood."""
    try:
        import click  # noqa: F401 - a library-only installation lacks it
    except ImportError:
        print("The command line needs click, which is not installed. Install sixpence[server].", file=sys.stderr)
        sys.exit(1)
    from sixpence.cli.commands import run

    sys.exit(run(sys.argv[1:]))

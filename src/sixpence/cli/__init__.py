"""The command line: `sixpence = sixpence.cli:main`. See README.md in this folder."""

import sys


def main() -> None:
    """Run the command that was typed and end the process: 0 done, 1 refused (in one sentence), 2 not understood."""
    try:
        import click  # noqa: F401 - the library alone does not bring it
    except ImportError:
        print("The command line needs click, which is not installed. Install sixpence[server].", file=sys.stderr)
        sys.exit(1)
    from sixpence.cli.commands import run

    sys.exit(run(sys.argv[1:]))

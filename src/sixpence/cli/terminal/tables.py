"""What is printed for people: facts beside their names, rows under headers; plain text unless a terminal shows it."""

import sys
from collections.abc import Sequence

import click


def facts(title: str, rows: Sequence[tuple[str, str]]) -> None:
    """Print values beside their names; lines stay whole, so that they can be copied."""
    width = max(len(name) for name, _ in rows)
    click.secho(title, bold=True)
    for name, value in rows:
        first, *others = value.split("\n")
        click.echo(f"  {click.style(f'{name:<{width}}', dim=True)}  {first}")
        for line in others:
            click.echo(f"  {'':<{width}}  {line}")


def table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print rows under headers: on a terminal as a table that fits it, else in columns of plain text."""
    if sys.stdout.isatty():
        _drawn(headers, rows)
        return
    widths = [max(len(line[place]) for line in (headers, *rows)) for place in range(len(headers))]
    for line in (headers, *rows):
        click.echo("  ".join(f"{cell:<{width}}" for cell, width in zip(line, widths, strict=True)).rstrip())


def _drawn(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    drawn = Table(box=box.SIMPLE_HEAD)
    for header in headers:
        drawn.add_column(header, overflow="fold")
    for row in rows:
        # A name may hold what rich would take for markup.
        drawn.add_row(*(Text(cell) for cell in row))
    Console().print(drawn)

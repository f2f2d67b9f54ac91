"""Output for people and programs: facts beside their names, rows under headers, JSON. Plain text off a terminal."""

import json
import sys
from collections.abc import Sequence
from typing import Any

import click


def print_facts(title: str, facts: Sequence[tuple[str, str]]) -> None:
    """Print values beside their names. Lines are not wrapped, so that they can be copied."""
    width = max(len(name) for name, _ in facts)
    click.secho(title, bold=True)
    for name, value in facts:
        first, *others = value.split("\n")
        click.echo(f"  {click.style(f'{name:<{width}}', dim=True)}  {first}")
        for line in others:
            click.echo(f"  {'':<{width}}  {line}")


def print_table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print rows under headers: on a terminal as a table that fits it, else as columns of plain text."""
    if sys.stdout.isatty():
        _draw_table(headers, rows)
        return
    widths = [max(len(line[column]) for line in (headers, *rows)) for column in range(len(headers))]
    for line in (headers, *rows):
        click.echo("  ".join(f"{cell:<{width}}" for cell, width in zip(line, widths, strict=True)).rstrip())


def print_json(document: Any) -> None:
    """Print a document as indented JSON."""
    click.echo(json.dumps(document, ensure_ascii=False, indent=2))


def _draw_table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    drawn = Table(box=box.SIMPLE_HEAD)
    for header in headers:
        drawn.add_column(header, overflow="fold")
    for row in rows:
        # Text: rich would read brackets in a name as markup.
        drawn.add_row(*(Text(cell) for cell in row))
    Console().print(drawn)

"""What a person sees on a terminal: tables and progress bars; elsewhere plain columns, no bar."""

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import click

from shared.progress import Progress, untold

_ENDLESS = 100_000  # columns of a file or pipe: nothing is wrapped there


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table: its title, and how its cells are laid out."""

    title: str = ""
    least_width: int = 0  # where it is not a terminal, whose width is used as well as it can be
    is_number: bool = False
    is_whole: bool = False  # never wrapped: something to copy, such as a receipt


def print_table(columns: Sequence[Column], rows: Iterable[Sequence[object]]) -> None:
    """Print the rows below the columns' titles, if they have any."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    is_terminal = sys.stdout.isatty()
    has_titles = any(column.title for column in columns)
    table = Table(box=None, show_header=has_titles, padding=(0, 2, 0, 0), pad_edge=False)
    for column in columns:
        table.add_column(
            column.title,
            min_width=None if is_terminal else column.least_width,
            justify="right" if column.is_number else "left",
            no_wrap=column.is_whole,
            overflow="fold",  # in a narrow terminal nothing is left out
        )
    for row in rows:
        table.add_row(*(Text(str(cell)) for cell in row))  # Text: no markup in what others wrote
    console = Console(
        force_terminal=is_terminal, highlight=False, width=None if is_terminal else _ENDLESS
    )
    with console.capture() as capture:
        console.print(table)
    for line in capture.get().splitlines():
        click.echo(line.rstrip())


@contextmanager
def progress(label: str) -> Iterator[Progress]:
    """Show a bar on a terminal while the block lasts, and nothing elsewhere."""
    if not sys.stderr.isatty():
        yield untold
        return
    from rich.console import Console
    from rich.progress import Progress as Bars

    with Bars(console=Console(stderr=True)) as bars:
        task = bars.add_task(label, total=None)

        def tell(done: int, total: int) -> None:
            bars.update(task, completed=done, total=total)

        yield tell


def printable(text: str) -> str:
    """Return what a stranger sent without what would command a terminal."""
    return "".join(
        sign if sign.isprintable() or sign in "\n\t" else ascii(sign)[1:-1] for sign in text
    )

"""How `rnn-sweep compare` prints two sweeps or two trials."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from sweep.results.comparison import Comparison


def show_comparison(screen: Console, comparison: Comparison) -> None:
    """Print the parts one below the other, in the same columns."""
    for title, rows in comparison.parts:
        different = any(row.difference for row in rows)
        table = Table(box=None, pad_edge=False, header_style="bold")
        table.add_column(title, min_width=24, overflow="fold")
        for name in (comparison.first, comparison.second):
            table.add_column(name, min_width=16, overflow="fold")
        if different:
            table.add_column("difference", justify="right")
        for row in rows:
            cells = [row.name, row.first, row.second, *([row.difference] if different else [])]
            table.add_row(*cells)
        screen.print(table)
        screen.print()

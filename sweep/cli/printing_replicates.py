"""What the commands print of combined and replicated finalists, and of audited pruning."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from sweep.results.audit import audit
from sweep.results.ensemble import ensemble_line
from sweep.results.replicates import Replication, replication
from sweep.results.results import Results
from sweep.words.console import short


def show_replicates(screen: Console, results: Results) -> None:
    """Print what the ensemble, replicates and audits say, as far as the sweep has them."""
    together = ensemble_line(results)
    if together is not None:
        screen.print(together, soft_wrap=True)
    found = replication(results)
    if found is not None:
        screen.print(replicates_table(found))
        screen.print(found.verdict)
    audited = audit(results)
    if audited is not None:
        screen.print(audited.verdict)


def replicates_table(found: Replication) -> Table:
    """Return one row a finalist."""
    title = f"finalists over seeds, {found.part} {found.objective.metric}"
    table = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for name in ("trial", "seeds", "mean", "std. dev.", "95 % interval of the mean", "lost"):
        table.add_column(name, justify="right", no_wrap=True)
    for finalist in found.finalists:
        estimate = finalist.estimate
        interval = (
            "-" if estimate.low is None else f"{short(estimate.low)} to {short(estimate.high)}"
        )
        table.add_row(
            str(finalist.trial.number),
            str(estimate.count),
            short(estimate.mean),
            short(estimate.deviation),
            interval,
            str(finalist.lost or "-"),
        )
    return table

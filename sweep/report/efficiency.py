"""The report's part on efficiency: where the workers' seconds went."""

from __future__ import annotations

from html import escape

from sweep.report.chart import Axis, Bar, Panel, Plot, Role
from sweep.report.scales import Tick
from sweep.results.results import Results
from sweep.words.console import duration

_MEANING = {
    "complete": "training of complete trials",
    "pruned": "training of pruned trials",
    "failed": "training of failed trials",
    "unfinished": "training of unfinished trials",
    "audits": "audits of pruning",
    "replicates": "replicates of finalists",
    "lost": "trained again after a death",
    "other": "checkpoints, evaluation",
    "starting": "starting workers",
    "idle": "idle",
}
_ROLES = {
    "pruned": Role.PRUNED,
    "failed": Role.FAILED,
    "lost": Role.FAILED,
    "starting": Role.QUIET,
    "idle": Role.QUIET,
}


def ledger_section(results: Results) -> str:
    """Return a bar for each entry of the ledger that is not empty."""
    ledger = results.ledger
    entries = [(name, seconds) for name, seconds in ledger.entries().items() if seconds > 0]
    if not entries:
        return ""
    text = (
        f"Workers were busy {ledger.busy_fraction:.0%} of the time from the first training on: "
        f"{duration(ledger.busy)} of {duration(ledger.available - ledger.starting)}, all workers "
        "together."
    )
    largest, slot = max(seconds for _, seconds in entries), 1 / len(entries)
    bars, ticks = [], []
    for row, (name, seconds) in enumerate(entries):
        middle, half = 1 - (row + 0.5) * slot, min(0.35 * slot, 0.18)
        label = f"{duration(seconds)} ({seconds / ledger.available:.0%})"
        box = (0.0, middle - half, 0.8 * seconds / largest, middle + half)
        bars.append(Bar(*box, _ROLES.get(name, Role.COMPLETE), label))
        ticks.append(Tick(middle, _MEANING.get(name, name)))
    panel = Panel(
        y=Axis(ticks=tuple(ticks)), bars=tuple(bars), height=80 + 30 * len(entries), left=220
    )
    return f"<p>{escape(text)}</p>" + Plot("ledger", "Ledger", (panel,)).fragment

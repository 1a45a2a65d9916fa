"""The report's part on efficiency: where the workers' seconds went."""

from __future__ import annotations

from sweep.report.chart import BLUE, GRAY, ORANGE, VERMILION, Plot, plot
from sweep.report.layers import bars
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
_COLORS = {
    "pruned": ORANGE,
    "failed": VERMILION,
    "lost": VERMILION,
    "starting": GRAY,
    "idle": GRAY,
}


def ledger_plot(results: Results) -> Plot:
    """Return a bar for each entry of the ledger that is not empty."""
    title, ledger = "Where the time went", results.ledger
    entries = [(name, seconds) for name, seconds in ledger.entries().items() if seconds > 0]
    if not entries:
        return Plot("ledger", title)
    text = (
        f"Workers were busy {ledger.busy_fraction:.0%} of the time from the first training on: "
        f"{duration(ledger.busy)} of {duration(ledger.available - ledger.starting)}, all workers "
        "together."
    )
    rows = [
        {
            "name": _MEANING.get(name, name),
            "value": seconds,
            "text": f"{duration(seconds)} ({seconds / ledger.available:.0%})",
            "color": _COLORS.get(name, BLUE),
        }
        for name, seconds in entries
    ]
    chart = bars("entries", 1.2 * max(seconds for _, seconds in entries))
    summary = ", ".join(f"{row['name']} {row['text']}" for row in rows) + "."
    return plot("ledger", title, chart, {"entries": rows}, note=text, summary=summary)

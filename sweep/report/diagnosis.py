"""The report's part on training against validation: who learns by heart, who too little."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

import altair as alt

from sweep.history.goal import ranked
from sweep.history.state import TrialState
from sweep.report.chart import BLUE, GRAY, VERMILION, Chart, Plot, Rows, plot, rows_of
from sweep.report.layers import number_axis
from sweep.report.scales import NumberScale, value_scale
from sweep.results.results import Results

_SHOWN = 6
_MAX_POINTS = 200
_COLORS = {"training loss": VERMILION, "validation loss": BLUE}
_ADVICE = {
    "overfitting": "more dropout, weight decay or data, a smaller net, or less patience",
    "underfitting": "more epochs, a larger net, or a higher learning rate",
}


def diagnosis_plot(results: Results) -> Plot:
    """Return the loss curves of the best trials, and how the complete ones were judged."""
    title = "Training against validation"
    complete = ranked(results.trials, results.goal)
    judged = Counter[str](found for t in complete if (found := results.diagnosis(t)) is not None)
    shown = [t for t in complete if _finite(results, t)][:_SHOWN]
    if not shown:
        return Plot("diagnosis", title)
    panels = [_panel(results, trial) for trial in shown]
    data = {name: rows for trial in shown for name, rows in _rows(results, trial).items()}
    note = f"{_sentence(results, complete, judged)} Dashed: the best epoch."
    numbers = ", ".join(str(trial.number) for trial in shown)
    return plot(
        "diagnosis", title, alt.concat(*panels, columns=3), data,
        note=note, summary=f"Loss by epoch of trials {numbers}. {note}",
    )  # fmt: skip


def _sentence(results: Results, complete: Sequence[TrialState], judged: Counter[str]) -> str:
    if not judged:
        return "The complete trials are too short to be judged."
    counts = ", ".join(f"{count} {name}" for name, count in judged.most_common())
    text = f"Of {sum(judged.values())} complete trials that can be judged: {counts}."
    best = results.diagnosis(complete[0])
    if best in _ADVICE:
        text += f" The best one shows {best}: {_ADVICE[best]} may help."
    elif best is not None:
        text += " The best one is balanced."
    return text


def _panel(results: Results, trial: TrialState) -> Chart:
    curves = results.curves[trial.number]
    loss = value_scale(v for curve in (curves.train, curves.validation) for v in curve)
    x = number_axis("epoch", NumberScale(1, len(curves.train), whole=True), "epoch")
    color = alt.Color("part:N", scale=alt.Scale(domain=list(_COLORS), range=list(_COLORS.values())))
    best = rows_of(f"best_{trial.number}").mark_rule(color=GRAY, strokeDash=[5, 4])
    lines = rows_of(f"loss_{trial.number}").transform_flatten(["epoch", "loss"]).mark_line()
    title = f"trial {trial.number}: {results.diagnosis(trial) or 'too short to judge'}"
    return alt.layer(
        best.encode(x=x), lines.encode(x=x, y=number_axis("loss", loss, "loss"), color=color)
    ).properties(width=270, height=180, title=title)


def _rows(results: Results, trial: TrialState) -> dict[str, Rows]:
    curves = results.curves[trial.number]
    parts = zip(_COLORS, (curves.train, curves.validation), strict=True)
    return {
        f"loss_{trial.number}": [{"part": part, **_points(curve)} for part, curve in parts],
        f"best_{trial.number}": [{"epoch": trial.best_epoch}],
    }


def _points(curve: Sequence[float]) -> dict[str, list[float]]:
    step = math.ceil(len(curve) / _MAX_POINTS)
    kept = [i for i, value in enumerate(curve) if math.isfinite(value) and i % step == 0]
    return {"epoch": [i + 1 for i in kept], "loss": [curve[i] for i in kept]}


def _finite(results: Results, trial: TrialState) -> bool:
    curves = results.curves.get(trial.number)
    return curves is not None and any(map(math.isfinite, curves.validation))

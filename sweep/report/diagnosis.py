"""The report's part on training against validation: who learns by heart, who too little."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from html import escape

from sweep.history.goal import ranked
from sweep.history.state import TrialState
from sweep.report.chart import Axis, Line, Panel, Plot, Role
from sweep.report.scales import NumberScale, epoch_scale, value_scale
from sweep.results.results import Results

_SHOWN = 6
_MAX_POINTS = 200
_ADVICE = {
    "overfitting": "more dropout, weight decay or data, a smaller net, or less patience",
    "underfitting": "more epochs, a larger net, or a higher learning rate",
}


def diagnosis_section(results: Results) -> str:
    """Return how the complete trials were judged, and the loss curves of the best ones."""
    complete = ranked(results.trials, results.goal)
    judged = Counter[str](found for t in complete if (found := results.diagnosis(t)) is not None)
    shown = [t for t in complete if _finite(results, t)][:_SHOWN]
    if not shown:
        return ""
    return f"<p>{escape(_sentence(results, complete, judged))}</p>" + _plot(results, shown).fragment


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


def _plot(results: Results, trials: Sequence[TrialState]) -> Plot:
    panels = []
    for trial in trials:
        curves = results.curves[trial.number]
        y = value_scale(v for curve in (curves.train, curves.validation) for v in curve)
        x = epoch_scale([len(curves.train)])
        lines = tuple(
            Line(_points(curve, x, y), role)
            for curve, role in (
                (curves.train, Role.TRAIN),
                (curves.validation, Role.VALIDATION),
            )
        )
        best = x.at(trial.best_epoch)
        title = f"trial {trial.number}: {results.diagnosis(trial) or 'too short to judge'}"
        panels.append(
            Panel(
                Axis("epoch", x.ticks), Axis("loss", y.ticks), title, width=340, height=230,
                lines=(*lines, Line(((best, 0.0), (best, 1.0)), Role.LIMIT)),
            )
        )  # fmt: skip
    legend = (
        (Role.TRAIN, "training loss"), (Role.VALIDATION, "validation loss"),
        (Role.LIMIT, "best epoch"),
    )  # fmt: skip
    return Plot("diagnosis", "Training against validation", tuple(panels), legend)


def _points(
    curve: Sequence[float], x: NumberScale, y: NumberScale
) -> tuple[tuple[float, float], ...]:
    step = math.ceil(len(curve) / _MAX_POINTS)
    return tuple(
        (x.at(index + 1), y.at(value))
        for index, value in enumerate(curve)
        if math.isfinite(value) and index % step == 0
    )


def _finite(results: Results, trial: TrialState) -> bool:
    curves = results.curves.get(trial.number)
    return curves is not None and any(map(math.isfinite, curves.validation))

"""Classes on the test part: who is taken for whom, and whether probabilities hold."""

from __future__ import annotations

from typing import Any

import altair as alt
import numpy as np

from sweep.report.answers.found import Found
from sweep.report.chart import BLUE, GRAY, WIDTH, Plot, Rows, nothing, plot, rows_of
from trainers.data.contract import Array

_MOST_CLASSES = 40
_BINS = 15


def confusion(found: Found) -> Plot:
    """Return how often each class (a row) was taken for each other (a column), as shares."""
    name, title = "confusion", "Confusion matrix on the test part"
    kept = found.kept
    if kept.targets.ndim == 2:
        return nothing(name, title, "labels do not exclude each other")
    classes = kept.answers.shape[1]
    if classes > _MOST_CLASSES:
        return nothing(name, title, f"there are {classes} classes, more than {_MOST_CLASSES}")
    counts = np.zeros((classes, classes), dtype=np.int64)
    np.add.at(counts, (kept.targets, kept.answers.argmax(-1)), 1)
    names = [*kept.names] or [str(number) for number in range(classes)]
    rows = _cells(counts, names)
    base = rows_of("confusion").encode(
        x=alt.X("predicted:N", title="predicted", sort=names),
        y=alt.Y("actual:N", title="actual", sort=names),
    )
    color = alt.Color("share:Q", scale=alt.Scale(scheme="blues", domain=[0, 1]), title="share")
    text = alt.condition("datum.share > 0.5", alt.value("white"), alt.value("#1f2933"))
    chart = base.mark_rect().encode(color=color)
    chart += base.mark_text().encode(text="count:Q", color=text)
    side = min(WIDTH - 200, 46 * classes)
    wrong = counts - np.diag(np.diag(counts))
    note = f"Trial {found.trial}: {int(wrong.sum())} of {len(kept)} wrong. Shares are of a row."
    if wrong.any():
        actual, predicted = np.unravel_index(wrong.argmax(), wrong.shape)
        note += f" Most often {names[actual]} is taken for {names[predicted]}, {wrong.max()} times."
    sized = chart.properties(width=side, height=side)
    return plot(name, title, sized, {"confusion": rows}, note=note, summary=note)


def reliability(found: Found) -> Plot:
    """Return how often the predicted class is right, by its probability, in even bins."""
    name, title = "reliability", "Do probabilities hold?"
    probability, right = _judged(found)
    if not len(probability):
        return nothing(name, title, "there is no target")
    bins = np.minimum((probability * _BINS).astype(int), _BINS - 1)
    rows = []
    for number in np.unique(bins).tolist():
        own = bins == number
        rows.append(
            {"said": float(probability[own].mean()), "right": float(right[own].mean()),
             "count": int(own.sum())}
        )  # fmt: skip
    error = sum(row["count"] * abs(row["said"] - row["right"]) for row in rows) / len(right)
    domain = alt.Scale(domain=[0, 1])
    points = rows_of("reliability").encode(
        x=alt.X("said:Q", title="probability that the network gives", scale=domain),
        y=alt.Y("right:Q", title="share that is right", scale=domain),
    )
    even = rows_of("even").mark_line(color=GRAY, strokeDash=[5, 4]).encode(x="said:Q", y="right:Q")
    size = alt.Size("count:Q", title="answers")
    chart = even + points.mark_line(color=BLUE) + points.mark_circle(color=BLUE).encode(size=size)
    note = f"On the dashed line probabilities hold; the mean distance (ECE) is {error:.3f}."
    data: dict[str, Rows] = {"reliability": rows, "even": [{"said": n, "right": n} for n in (0, 1)]}
    sized = chart.properties(width=380, height=300)
    return plot(name, title, sized, data, note=note, summary=note)


def _judged(found: Found) -> tuple[Array, Array]:
    """Return the probability of each answer that was given, and whether it was right."""
    kept = found.kept
    if kept.targets.ndim == 1:
        said = kept.answers.argmax(-1)
        return kept.answers[np.arange(len(kept)), said], said == kept.targets
    present = kept.answers > 0.5
    right, said = present == (kept.targets > 0.5), np.where(present, kept.answers, 1 - kept.answers)
    valid = np.ones(right.shape, np.bool_) if kept.mask is None else kept.mask
    return said[valid], right[valid]


def _cells(counts: Array, names: list[str]) -> list[dict[str, Any]]:
    totals = np.maximum(counts.sum(1), 1)
    return [
        {
            "actual": names[row], "predicted": names[column], "count": int(counts[row, column]),
            "share": float(counts[row, column] / totals[row]),
        }
        for row in range(len(names))
        for column in range(len(names))
    ]  # fmt: skip

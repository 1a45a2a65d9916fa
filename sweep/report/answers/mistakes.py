"""The test part's worst answers, as a table: where to look first."""

from __future__ import annotations

import numpy as np

from sweep.report.answers.found import Found
from sweep.report.tables import html_table
from sweep.words.console import short

_SHOWN = 10


def mistakes(found: Found) -> str:
    """Return the answers that are most wrong: the largest errors, or the surest wrong classes."""
    kept = found.kept
    if kept.task == "regression":
        return _forecasts(found)
    return _classes(found) if kept.targets.ndim == 1 else ""


def _forecasts(found: Found) -> str:
    kept, errors = found.kept, np.abs(found.errors)
    each = errors.shape[1] // kept.horizon
    order = np.argsort(np.where(np.isnan(errors), -1.0, errors), axis=None)[::-1]
    rows, seen = [], set[int]()
    for flat in order:
        target, output = (int(n) for n in np.unravel_index(flat, errors.shape))
        if target in seen or np.isnan(errors[target, output]):
            continue
        seen.add(target)
        said, truth = float(kept.answers[target, output]), float(kept.targets[target, output])
        name = kept.names[output] if kept.names else str(output)
        texts = [found.place(target), name, str(output // each + 1)]
        cells: list[tuple[str, float | None]] = [(text, None) for text in texts]
        cells += [(short(value), value) for value in (truth, said, said - truth)]
        rows.append((found.trial, cells))
        if len(rows) == _SHOWN:
            break
    unit = found.unit
    heads = ["first row", "target", "step ahead", f"truth{unit}", f"forecast{unit}", f"error{unit}"]
    return html_table(heads, rows)


def _classes(found: Found) -> str:
    kept = found.kept
    said = kept.answers.argmax(-1)
    sure = kept.answers[np.arange(len(kept)), said]
    wrong = np.flatnonzero(said != kept.targets)
    rows = []
    for target in wrong[np.argsort(-sure[wrong], kind="stable")][:_SHOWN].tolist():
        names = kept.names or tuple(map(str, range(kept.answers.shape[1])))
        own = float(kept.answers[target, kept.targets[target]])
        texts = [found.place(target), str(int(kept.steps[target]))]
        texts += [names[int(kept.targets[target])], names[int(said[target])]]
        cells: list[tuple[str, float | None]] = [(text, None) for text in texts]
        cells += [(short(value), value) for value in (float(sure[target]), own)]
        rows.append((found.trial, cells))
    if not rows:
        return "<p>Every class is right.</p>"
    heads = ["sequence", "step", "truth", "answer", "probability", "probability of the truth"]
    return html_table(heads, rows)

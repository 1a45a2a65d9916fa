"""What the page shows of answers, in order."""

from __future__ import annotations

from sweep.report.answers.classes import confusion, reliability
from sweep.report.answers.fan import fan
from sweep.report.answers.found import found_answers
from sweep.report.answers.mistakes import mistakes
from sweep.report.answers.residuals import residuals
from sweep.report.chart import Plot
from sweep.results.results import Results


def answer_plots(results: Results) -> tuple[Plot, ...]:
    """Return the plots of the best trial's answers; none where no answers were kept."""
    found = found_answers(results)
    if found is None:
        return ()
    if found.kept.task == "regression":
        return fan(found), residuals(found)
    return confusion(found), reliability(found)


def mistakes_section(results: Results) -> str:
    """Return the table of the best trial's worst answers; empty where none were kept."""
    found = found_answers(results)
    return "" if found is None else mistakes(found)

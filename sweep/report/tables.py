"""The report's tables: best trials, their ensemble, finalists over seeds, audited pruning."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

from sweep.history.goal import ranked, searched
from sweep.results.audit import audit
from sweep.results.columns import shown_in, varying
from sweep.results.ensemble import alone_on_validation, ensemble_line
from sweep.results.replicates import replication
from sweep.results.results import Results
from sweep.words.console import settings, short

_TOP = 25  # and the whole Pareto front


def top_table(results: Results) -> str:
    """Return the best trials with the parameters that differ; what is the same stands below."""
    complete, front = ranked(results.trials, results.goal), results.front()
    trials = [t for place, t in enumerate(complete) if place < _TOP or t.number in front]
    if not trials:
        return "<p>No trial is complete.</p>"
    columns = shown_in("report", results)
    rows = [
        (t.number, [(c.cell(results, t), c.value(results, t)) for c in columns]) for t in trials
    ]
    fixed = _fixed(results, varying(searched(results.trials)))
    note = f'<p class="soft">The same in all trials: {escape(settings(fixed))}</p>' if fixed else ""
    return html_table([column.title() for column in columns], rows) + note


def _fixed(results: Results, names: Sequence[str]) -> dict[str, Any]:
    first = next(iter(results.trials), None)
    sampled = {} if first is None else first.params
    known = {**results.config.train, **sampled}
    return {name: value for name, value in known.items() if name not in names}


def ensemble_section(results: Results) -> str:
    """Return the ensemble beside the best trial alone; empty where finalists were not combined."""
    line, found = ensemble_line(results), results.state.ensembled
    if line is None or found is None:
        return ""
    verdict = f'<p class="verdict">{escape(line)}</p>'
    if not found.better:
        return verdict
    single = results.state.trials[found.single]
    heads, rows = ["metric", "unit"], []
    for name in found.validation:
        sides = (found.validation, alone_on_validation(single), found.test, single.test)
        cells: list[tuple[str, Any]] = [(name, None), (results.unit(name), None)]
        cells += [(short(side.get(name)), side.get(name)) for side in sides]
        rows.append((single.number, cells))
    alone = f"trial {single.number}"
    heads += ["validation: ensemble", f"validation: {alone}", "test: ensemble", f"test: {alone}"]
    return verdict + html_table(heads, rows)


def replicates_section(results: Results) -> str:
    """Return the finalists over seeds, the verdict first; empty without replicates."""
    found = replication(results)
    if found is None:
        return ""
    mean = f"mean {found.part} {found.objective.metric}"
    heads = ["trial", "seeds", mean, "std. dev.", "95 % interval"]
    rows = []
    for finalist in found.finalists:
        e, number = finalist.estimate, finalist.trial.number
        interval = "-" if e.low is None else f"{short(e.low)} … {short(e.high)}"
        values = ", ".join(short(value) for value in finalist.by_seed.values())
        cells: list[tuple[str, Any]] = [
            (str(number), number), (str(e.count), e.count), (short(e.mean), e.mean),
            (short(e.deviation), e.deviation), (interval, e.low), (values, None),
        ]  # fmt: skip
        rows.append((number, cells))
    verdict = f'<p class="verdict">{escape(found.verdict)}</p>'
    return verdict + html_table([*heads, "by seed (its own first)"], rows)


def audit_section(results: Results) -> str:
    """Return what the audited trials came to; empty without audits."""
    found = audit(results)
    if found is None:
        return ""
    heads = ["pruned trial", "at epoch", f"{found.metric} then", f"{found.metric} at the end"]
    rows = []
    for one in found.trials:
        number = one.pruned.number
        cells: list[tuple[str, Any]] = [
            (str(number), number), (str(one.pruned.epoch), one.pruned.epoch),
            (short(one.at_rung), one.at_rung), (short(one.at_end), one.at_end),
            (str(one.rank), one.rank),
        ]  # fmt: skip
        rows.append((number, cells))
    verdict = f'<p class="verdict">{escape(found.verdict)}</p>'
    return verdict + html_table([*heads, "place it would have had"], rows)


def html_table(
    heads: Sequence[str], rows: Iterable[tuple[int | None, Sequence[tuple[str, Any]]]]
) -> str:
    """Return a table that sorts by a click on a heading.

    Args:
        rows: A trial's number, None where it is no trial's, and for each cell its text and the
            value to sort by.
    """
    body = "".join(f"<tr{_of(number)}>{''.join(map(_cell, cells))}</tr>" for number, cells in rows)
    head = "".join(f'<th scope="col"><button>{escape(name)}</button></th>' for name in heads)
    return (
        '<div class="scroll"><table class="sortable">'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _of(number: int | None) -> str:
    return "" if number is None else f' data-t="{number}"'


def _cell(cell: tuple[str, Any]) -> str:
    text, value = cell
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return f"<td{f' data-v={value!r}' if number else ''}>{escape(text)}</td>"

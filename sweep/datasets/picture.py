"""One page about a data set, without a network: the series with its parts, what was found."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from typing import Any

import altair as alt
import numpy as np

from sweep.datasets.document import document_of
from sweep.datasets.inspection import Inspection
from sweep.report.chart import BLUE, GREEN, ORANGE, WIDTH, Plot, nothing, plot, rows_of
from sweep.report.page import figure, page, section
from trainers.data.division import PARTS
from trainers.data.findings.judged import numbers_of

_BUCKETS = 500  # of a line, each with its least and its largest value
_SERIES = 4
_EXAMPLES = 4  # of each class
_CLASSES = 6


def render_page(found: Inspection) -> str:
    """Return the whole page."""
    document = document_of(found)
    drawn = _plot(found)
    sections = [
        section("findings", "What to look at", _findings(document)),
        section(drawn.name, drawn.title, figure(drawn)),
        section("parts", "Parts", _parts(document)),
        section("columns", "Columns", _columns(document)) if document["columns"] else "",
        section("notes", "Taken for granted", _list(document["notes"]))
        if document["notes"]
        else "",
    ]
    refused = document["refused"]
    line = f"not usable as it is: {refused}" if refused else _summary(document)
    body = (
        f'<header class="top"><h1>{escape(found.name)}</h1><p class="soft">{escape(line)}</p>'
        f"</header>\n<main>{''.join(sections)}</main>"
    )
    return page(f"{found.name}: data", body, [drawn], [])


def _summary(document: dict[str, Any]) -> str:
    rows = "" if document["rows"] is None else f", {document['rows']:,} rows"
    step = document["step"]
    return f"{document['task']}, source {document['source']}{rows}" + (
        f", a step of {step['text']}" if step else ""
    )


def _findings(document: dict[str, Any]) -> str:
    lines = [f"{one['grade']}: {one['text']}" for one in document["findings"]]
    return _list(lines) if lines else "<p>Nothing is suspicious.</p>"


def _list(lines: Sequence[str]) -> str:
    return "<ul>" + "".join(f"<li>{escape(line)}</li>" for line in lines) + "</ul>"


def _parts(document: dict[str, Any]) -> str:
    rows = [
        (name, f"{part['sequences']:,}", f"{part['steps']:,}", part["first"], part["last"])
        for name, part in document["parts"].items()
    ]
    return _table(("part", "sequences", "steps", "from", "to"), rows)


def _columns(document: dict[str, Any]) -> str:
    rows = [
        (c["name"], c["kind"], c["missing"], _short(c["low"]), _short(c["mean"]), _short(c["high"]))
        for c in document["columns"]
    ]
    return _table(("column", "holds", "missing", "least", "mean", "largest"), rows)


def _short(value: Any) -> str:
    return "" if value is None else f"{value:.5g}"


def _table(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    cells = "".join(f'<th class="text">{escape(name)}</th>' for name in head)
    lines = "".join(
        "<tr>" + "".join(f'<td class="text">{_cell(cell)}</td>' for cell in row) + "</tr>"
        for row in rows
    )
    return (
        f'<div class="scroll"><table><thead><tr>{cells}</tr></thead><tbody>{lines}</tbody></table>'
        "</div>"
    )


def _cell(value: Any) -> str:
    return "" if value is None else escape(str(value))


def _plot(found: Inspection) -> Plot:
    if found.data is None:
        return nothing("series", "The data", "they can't be loaded as they are")
    if found.rows is not None:
        return _of_series(found)
    if found.data.vocabulary_size is None:
        return _of_sequences(found)
    return nothing("series", "The data", "they are texts")


def _of_series(found: Inspection) -> Plot:
    """The target over time, coloured by part; of many series the first ones."""
    rows, target = found.rows, _target(found)
    assert rows is not None
    values = numbers_of(rows.frame[target])
    if values is None:
        values = rows.frame[target].astype("category").cat.codes.to_numpy(dtype=np.float64)
    part_of = _part_of_rows(found, len(values))
    lines: list[dict[str, Any]] = []
    names = rows.names[:_SERIES] or ("",)
    bounds = rows.bounds
    for number, name in enumerate(names):
        span = slice(int(bounds[number]), int(bounds[number + 1]))
        lines += _thinned(values[span], part_of[span], span.start, name, rows)
    dated = rows.instants is not None
    chart = (
        alt.Chart(alt.NamedData("lines"))
        .mark_line(strokeWidth=1, clip=True)
        .encode(
            x=alt.X("x:T" if dated else "x:Q", title="time" if dated else "row"),
            y=alt.Y("y:Q", title=target, scale=alt.Scale(zero=False)),
            color=_colors(),
            detail="piece:N",
            **({"row": alt.Row("series:N", title=None)} if len(names) > 1 else {}),
        )
        .properties(width=WIDTH, height=320 if len(names) == 1 else 120)
    )
    more = f"; the first {len(names)} of {len(rows.names)} series" if len(rows.names) > 4 else ""
    return plot(
        "series", f"{target}, by part", chart, {"lines": lines},
        note=f"rows that are predicted, by part; inputs reach back before them{more}",
        summary=f"{len(values):,} rows of {target}.",
    )  # fmt: skip


def _target(found: Inspection) -> str:
    given = found.options["target"]
    return str(given if isinstance(given, str) else given[0])


def _colors() -> alt.Color:
    colors = [BLUE, ORANGE, GREEN, "#c3c9cf"]
    return alt.Color("part:N", scale=alt.Scale(domain=[*PARTS, "none"], range=colors))


def _part_of_rows(found: Inspection, count: int) -> Any:
    """The part of which each row is a target, by number `(rows,)`; past them all: none."""
    assert found.data is not None
    part_of = np.full(count, len(PARTS))
    more = int(found.options.get("output_steps", 1)) + int(found.options.get("stride", 1)) - 1
    for name, part in found.data.parts().items():
        origins = np.asarray(part.origins)
        for shift in range(min(more, 1_000)):
            part_of[np.minimum(origins + shift, count - 1)] = PARTS.index(name)
    return part_of


def _thinned(
    values: Any, part_of: Any, start: int, series: str, rows: Any
) -> Iterator[dict[str, Any]]:
    """The least and the largest value of each stretch, in order; a line ends where a part does."""
    size = max(1, -(-len(values) // _BUCKETS))
    piece, before = 0, None
    for begin in range(0, len(values), size):
        stretch = values[begin : begin + size]
        part = int(part_of[begin])
        if part != before:
            piece, before = piece + 1, part
        if not np.isfinite(stretch).any():
            piece += 1
            continue
        places = sorted({int(np.nanargmin(stretch)), int(np.nanargmax(stretch))})
        for place in places:
            row = start + begin + place
            x = row if rows.instants is None else int(rows.instants.utc[row] // 1_000_000)
            yield {
                "x": x, "y": float(stretch[place]), "part": [*PARTS, "none"][part],
                "piece": f"{series} {piece}", "series": series,
            }  # fmt: skip


def _of_sequences(found: Inspection) -> Plot:
    """A few training sequences of each class: their first feature."""
    data = found.data
    assert data is not None
    part = data.train
    chosen = _examples(found)
    lines = []
    for name, row in chosen:
        steps = np.asarray(part.inputs[row])[:, 0].astype(np.float64)
        if part.input_mask is not None:
            steps[~np.asarray(part.input_mask[row])] = np.nan
        for place, value in enumerate(steps[:2_000]):
            if np.isfinite(value):
                lines.append({"x": place, "y": float(value), "class": name, "row": row})
    feature = data.input_names[0] if data.input_names else "first feature"
    chart = (
        rows_of("lines")
        .mark_line(strokeWidth=1, opacity=0.7)
        .encode(
            x=alt.X("x:Q", title="step"),
            y=alt.Y("y:Q", title=f"{feature}, scaled"),
            color=alt.Color("class:N"),
            detail="row:N",
        )
        .properties(width=WIDTH, height=320)
    )
    return plot(
        "series", "Some training sequences", chart, {"lines": lines},
        note=f"{feature} of up to {_EXAMPLES} sequences of each class",
        summary=f"{len(chosen)} sequences.",
    )  # fmt: skip


def _examples(found: Inspection) -> list[tuple[str, int]]:
    """Names of classes and rows of training sequences that are drawn."""
    data = found.data
    assert data is not None
    part = data.train
    if data.task != "classification" or not data.one_target or part.targets.ndim != 2:
        return [("training", row) for row in range(min(len(part), _EXAMPLES * 2))]
    shown = part.target_mask
    found_rows: dict[str, list[int]] = {}
    for row in range(min(len(part), 5_000)):
        ids = np.asarray(part.targets[row])
        last = ids[np.asarray(shown[row])] if shown is not None else ids
        name = data.target_names[int(last[-1])] if data.target_names else str(int(last[-1]))
        if name in found_rows or len(found_rows) < _CLASSES:
            found_rows.setdefault(name, []).append(row)
    return [(name, row) for name, rows in found_rows.items() for row in rows[:_EXAMPLES]]

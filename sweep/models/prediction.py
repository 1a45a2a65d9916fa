"""What a trained model says of a table or a text, as a table again."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from sweep.errors import UserError

if TYPE_CHECKING:
    from trainers.data.unlabelled import Unlabelled
    from trainers.use.ensemble import EnsembleModel
    from trainers.use.portable import PortableModel

Format = Literal["csv", "json"]


def predict_file(
    model: PortableModel | EnsembleModel,
    path: Path,
    *,
    last: bool = False,
    probabilities: bool = False,
    interval: float | None = None,
    tell: Callable[[str], object] = lambda line: None,
) -> list[dict[str, Any]]:
    """Return one row for each answer: a sequence's, or a step's.

    Args:
        model: The model.
        path: A table of any format, a text or JSON records; see `trainers.data.unlabelled`.
        last: Keep the last answer of all; of series, the forecast of each.
        probabilities: Say each class's, as `probability.NAME`.
        interval: Say both ends of the calibrated interval of that level, as `NAME_low` and
            `NAME_high`.
        tell: Called with a line on what is left out.

    Raises:
        DataError: the file does not fit the model.
        UserError: no sequence is left to be asked about.
    """
    from trainers.data.unlabelled import read_unlabelled

    sequences = read_unlabelled(path, model.interface, last=last, tell=tell)
    if not sequences:
        raise UserError(f"{path} must hold at least one whole sequence, but has none.")
    if last and not sequences[0].targets:
        sequences = sequences[-1:]
    wanted = {"probabilities": probabilities, "interval": interval}
    answers = model.predict([{**wanted, **one.record} for one in sequences])
    rows = [
        row
        for one, answer in zip(sequences, answers, strict=True)
        for row in _rows(one, _flat(answer))
    ]
    return rows[-1:] if last and not sequences[0].targets else rows


def write_rows(rows: list[dict[str, Any]], format: Format, output: Path | None) -> str | None:
    """Write rows to a file; without one, return them as text.

    Raises:
        UserError: the file can't be written.
    """
    text = json.dumps(rows, indent=1, default=str) + "\n" if format == "json" else _csv(rows)
    return write_text(text, output)


def write_text(text: str, output: Path | None) -> str | None:
    """Write a text to a file; without one, return it.

    Raises:
        UserError: the file can't be written.
    """
    if output is None:
        return text
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UserError(f"--output must be a file that can be written, but {error}.") from error
    return None


def format_of(format: Format | None, output: Path | None) -> Format:
    """Return the format that was asked for, or the file's by its ending, or CSV.

    Raises:
        UserError: the file's ending is that of another format.
    """
    ending = output.suffix if output is not None else ""
    if format is None and ending not in ("", ".csv", ".json", ".txt"):
        raise UserError(
            f"a file's ending says its format (.csv, .json), but got {ending!r}; name another "
            "file, or give --format."
        )
    return format or ("json" if ending == ".json" else "csv")


def _csv(rows: list[dict[str, Any]]) -> str:
    import pandas as pd

    return str(pd.DataFrame(rows).to_csv(index=False))


def _flat(answer: dict[str, Any]) -> dict[str, Any]:
    """Put each class's probability into a column of its own."""
    each = answer.pop("probabilities", {})
    return {**answer, **{f"probability.{name}": value for name, value in each.items()}}


def _forecasts(one: Unlabelled, answer: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """One row for each row that is forecast, named by its own time; of a window's last step."""
    newest = {name: _newest(value) for name, value in answer.items()}
    columns = [f"{name}_predicted" for name in one.forecasts]
    if "class" in newest:
        yield {**one.key, **one.targets[0], columns[0]: newest.pop("class"), **newest}
        return
    count = len(one.targets) * len(columns)  # outputs, step by step; behind them their quantiles
    fields = list(newest.items())
    values, quantiles = iter(fields[:count]), iter(fields[count:])
    levels = len(fields) // count - 1
    for step, place in enumerate(one.targets, start=1):
        row = {**one.key, **place, **({"step": step} if len(one.targets) > 1 else {})}
        for name in one.forecasts:
            row[f"{name}_predicted"] = next(values)[1]
            for field, value in islice(quantiles, levels):
                row[f"{name}_{field.rpartition('_')[2]}"] = value
        yield row


def _newest(value: Any) -> Any:
    """Return a window's last answer, where there is one at each step."""
    return next(v for v in reversed(value) if v is not None) if isinstance(value, list) else value


def _rows(one: Unlabelled, answer: dict[str, Any]) -> Iterator[dict[str, Any]]:
    state = {"state": answer.pop("state")} if "state" in answer else {}
    if one.targets:
        yield from _forecasts(one, answer)
        return
    by_step = any(isinstance(value, list) for value in answer.values())
    if not by_step:
        yield {**one.key, **answer, **state}
        return
    if not one.steps:  # of a window only the last step's answer is the forecast
        yield {**one.key, **{name: values[-1] for name, values in answer.items()}}
        return
    count = len(next(iter(answer.values())))
    for step in range(count):
        place = {name: values[step] for name, values in one.steps.items()}
        said = {name: values[step] for name, values in answer.items()}
        yield {**one.key, **place, **said, **(state if step == count - 1 else {})}

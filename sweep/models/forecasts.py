"""What a trained model says of the coming rows of a file's series, as a table."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sweep.errors import UserError

if TYPE_CHECKING:
    from trainers.use.ensemble import EnsembleModel
    from trainers.use.forecasting import Horizon
    from trainers.use.portable import PortableModel


def forecast_file(
    model: PortableModel | EnsembleModel,
    path: Path,
    horizon: Horizon,
    tell: Callable[[str], object] = lambda line: None,
) -> list[dict[str, Any]]:
    """Return one row for each coming step of each series: its time, `step`, `NAME_predicted`.

    Where paths are drawn, `NAME_predicted` is their median, and quantiles stand beside it.

    Args:
        model: The model.
        path: A table that may hold coming rows, their targets empty; or JSON records.
        horizon: How far, and how.
        tell: Called with a line on what is left out.

    Raises:
        DataError: the file does not fit the model, or what is needed ahead is not known.
        UserError: no sequence is left to go on from.
    """
    from trainers.data.series.asking import courses_of_table
    from trainers.data.series.reading import WindowReading
    from trainers.data.unlabelled import holds_records, read_unlabelled
    from trainers.use.feeding import Member, forecast

    reading = model.interface.reading
    if isinstance(reading, WindowReading) and not holds_records(path, reading):
        members = [
            Member(part, courses_of_table(path, own, horizon.steps, tell), weight)
            for part, weight in model.parts
            if isinstance(own := part.interface.reading, WindowReading)
        ]
        answers = forecast(members, horizon)
        asked = [(one.key, one.places) for one in members[0].courses]
    else:
        sequences = read_unlabelled(path, model.interface, tell=tell)
        if not sequences:
            raise UserError(f"{path} must hold at least one whole sequence, but has none.")
        fields = horizon.fields()
        answers = model.predict([{**fields, **one.record} for one in sequences])
        asked = [(one.key, ()) for one in sequences]
    names = reading.targets if isinstance(reading, WindowReading) else model.interface.outputs
    return [
        row
        for (key, places), answer in zip(asked, answers, strict=True)
        for row in _rows(key, places, answer, names)
    ]


def _rows(
    key: dict[str, Any],
    places: Sequence[dict[str, Any]],
    answer: dict[str, Any],
    names: Sequence[str],
) -> Iterator[dict[str, Any]]:
    state = {"state": answer.pop("state")} if "state" in answer else {}
    columns = {name: f"{name}_predicted" if name in names else name for name in answer}
    steps = len(answer[names[0]])
    for number in range(steps):
        place = places[number] if places else {}
        said = {columns[name]: values[number] for name, values in answer.items()}
        yield {**key, **place, "step": number + 1, **said, **(state if number == steps - 1 else {})}

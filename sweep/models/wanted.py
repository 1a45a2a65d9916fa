"""What the options of `rnn-sweep predict` ask for together, checked before a model is opened."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sweep.errors import UserError

if TYPE_CHECKING:
    from sweep.models.prediction import Format
    from trainers.use.forecasting import Horizon
    from trainers.use.generation import Generation


@dataclass(frozen=True)
class Wanted:
    """The options by name, None or False where they are not given.

    Raises:
        UserError: two exclude each other, or one needs another.
    """

    data: Path | None = None
    last: bool = False
    probabilities: bool = False
    interval: float | None = None
    steps: int | None = None
    paths: int | None = None
    quantiles: str | None = None
    whole_paths: bool = False
    generate: int | None = None
    prompt: str | None = None
    temperature: float | None = None
    top_k: int | None = None
    count: int | None = None
    seed: int | None = None

    def __post_init__(self) -> None:
        if self.generate is not None:
            others = ("data", "last", "probabilities", "interval", "steps")
            self._exclude("--generate writes a text without a file", others)
        elif self.data is None:
            raise UserError("predict needs a file, or --generate for a language model's text.")
        else:
            self._need("--generate", ("prompt", "temperature", "top_k", "count"))
        if self.steps is None:
            self._need("--steps", ("paths", "quantiles", "whole_paths"))
        else:
            self._exclude("--steps forecasts numbers", ("probabilities",))
            self._exclude("intervals of forecasts that are fed back are --paths'", ("interval",))
        if self.paths is None:
            self._need("--paths", ("quantiles", "whole_paths"))
        if self.paths is None and self.generate is None:
            self._need("--paths or --generate", ("seed",))

    def horizon(self, format: Format) -> Horizon | None:
        """Return how far is to be forecast, if it is; `format` is that of the answer.

        Raises:
            DataError: a value breaks its law.
            UserError: a level is no number, or a table can't hold what is asked for.
        """
        from trainers.use.forecasting import Horizon

        if self.steps is None:
            return None
        if self.whole_paths and format != "json":
            raise UserError(f"--whole-paths needs --format json, but the format is {format}.")
        levels = {} if self.quantiles is None else {"quantiles": _levels(self.quantiles)}
        return Horizon(
            self.steps, self.paths, seed=self.seed or 0, whole_paths=self.whole_paths, **levels
        )

    def generation(self) -> Generation | None:
        """Return what is to be written, if a text is.

        Raises:
            DataError: a value breaks its law.
        """
        from trainers.use.forecasting import check_whole
        from trainers.use.generation import Generation

        if self.generate is None:
            return None
        if self.count is not None:
            check_whole("count", self.count, 1)
        given = {name: getattr(self, name) for name in ("prompt", "temperature", "top_k", "seed")}
        named = {name: value for name, value in given.items() if value is not None}
        return Generation(self.generate, **named)

    def _need(self, option: str, names: tuple[str, ...]) -> None:
        for name in self._given(names):
            raise UserError(f"{_typed(name)} needs {option}.")

    def _exclude(self, law: str, names: tuple[str, ...]) -> None:
        for name in self._given(names):
            raise UserError(f"{law}: leave {_typed(name)} out.")

    def _given(self, names: tuple[str, ...]) -> list[str]:
        values = {name: getattr(self, name) for name in names}
        return [name for name, value in values.items() if value is not None and value is not False]


def _typed(name: str) -> str:
    return "DATA" if name == "data" else f"--{name.replace('_', '-')}"


def _levels(text: str) -> tuple[float, ...]:
    try:
        return tuple(float(level) for level in text.split(","))
    except ValueError:
        raise UserError(
            f"--quantiles must be numbers with commas between, as 0.05,0.5,0.95, but got {text!r}."
        ) from None

"""A conditional space: a function of the user's own, `path.py:function`, that asks the trial.

`function(trial) -> dict` may ask for a parameter only where another has a certain value. Such
parameters are known only once a trial has been asked, and TPE models jointly only those that
every trial has: prefer a flat space where one will do.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import Any

import optuna
from optuna.distributions import BaseDistribution

from search_spaces.dimensions import Dimension
from search_spaces.errors import SpaceError, UnenumerableSpaceError, UnknownSpaceError
from search_spaces.overrides import dimension_from
from search_spaces.space import random_trial


@dataclass(frozen=True)
class FunctionSpace:
    """A space whose dimensions are whatever the function asks the trial for.

    `overrides` answer the function's own questions: a pinned or narrowed parameter is suggested
    from its override, so the function's branches follow. Overrides that the function never asks
    for are added to its answer.
    """

    name: str
    function: Callable[[Any], Mapping[str, Any]]
    overrides: Mapping[str, Dimension] = field(default_factory=lambda: MappingProxyType({}))

    def suggest(self, trial: optuna.trial.Trial) -> dict[str, Any]:
        """Return one configuration, by calling the function.

        Raises:
            SpaceError: the function raised, or did not return a mapping with names.
        """
        asked = _NarrowedTrial(trial, self.overrides)
        try:
            answer = self.function(asked)
        except optuna.TrialPruned:
            raise
        except Exception as error:
            raise SpaceError(
                f"search space {self.name} failed: {type(error).__name__}: {error}"
                f"{_where(error, self.function)}"
            ) from error
        if not isinstance(answer, Mapping) or not all(isinstance(key, str) for key in answer):
            raise SpaceError(
                f"search space {self.name} must return a dict of parameters, but got {answer!r}."
            )
        added = {n: d.suggest(trial, n) for n, d in self.overrides.items() if n not in answer}
        return {**answer, **added}

    def narrowed(self, overrides: Mapping[str, Any]) -> FunctionSpace:
        """Return this space with overrides for parameters that the function asks for, or more.

        Raises:
            DimensionError: an override breaks a law.
        """
        changed = {
            name: dimension_from(name, written, self.overrides.get(name))
            for name, written in overrides.items()
        }
        return FunctionSpace(self.name, self.function, {**self.overrides, **changed})

    def size(self) -> float:
        """`math.inf`: nobody knows what a function asks for."""
        return math.inf

    def grid(self) -> dict[str, list[Any]]:
        """No grid.

        Raises:
            UnenumerableSpaceError: always.
        """
        raise UnenumerableSpaceError(
            f"a grid needs dimensions known beforehand, but search space {self.name} is a "
            "function; choose another sampler or write the dimensions under space.parameters."
        )

    def sample(self, seed: int) -> dict[str, Any]:
        """Return one configuration drawn at random (an example for people)."""
        return self.suggest(random_trial(seed))

    def distributions(self) -> dict[str, BaseDistribution]:
        """Empty: what a trial was asked is known only after `suggest`."""
        return {}

    def validate_point(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Return the configuration; the function itself can't be asked what it would take."""
        return dict(params)


class _NarrowedTrial:
    """A trial that answers overridden parameters from their override, everything else itself."""

    def __init__(self, trial: optuna.trial.Trial, overrides: Mapping[str, Dimension]) -> None:
        self._trial = trial
        self._overrides = overrides

    def __getattr__(self, attribute: str) -> Any:
        return getattr(self._trial, attribute)

    def _ask(self, method: str, name: str, *args: Any, **kwargs: Any) -> Any:
        if name in self._overrides:
            return self._overrides[name].suggest(self._trial, name)
        return getattr(self._trial, method)(name, *args, **kwargs)

    def suggest_float(self, name: str, *args: Any, **kwargs: Any) -> Any:
        return self._ask("suggest_float", name, *args, **kwargs)

    def suggest_int(self, name: str, *args: Any, **kwargs: Any) -> Any:
        return self._ask("suggest_int", name, *args, **kwargs)

    def suggest_categorical(self, name: str, *args: Any, **kwargs: Any) -> Any:
        return self._ask("suggest_categorical", name, *args, **kwargs)


def load_function_space(spec: str, base_dir: Path) -> FunctionSpace:
    """Load the space `path.py:function`; a relative path starts from `base_dir`.

    Raises:
        UnknownSpaceError: there is no such file or function.
        SpaceError: the file fails when it is imported.
    """
    path_text, _, name = spec.rpartition(":")
    path = (base_dir / Path(path_text).expanduser()).resolve()
    if not path.is_file():
        raise UnknownSpaceError(f"search space {spec!r}: there is no file {path}.")
    module = _import_file(path, spec)
    function = getattr(module, name, None)
    if not callable(function):
        found = [n for n, v in vars(module).items() if callable(v) and not n.startswith("_")]
        raise UnknownSpaceError(
            f"search space {spec!r}: {path.name} has no function {name!r}; it has: "
            f"{', '.join(sorted(found)) or 'none'}."
        )
    return FunctionSpace(spec, function)


def _import_file(path: Path, spec: str) -> ModuleType:
    """Run one file as a module of its own name: it shadows no module and leaves no bytecode."""
    module = ModuleType(f"_search_space_{path.stem}_{abs(hash(str(path)))}")
    module.__file__ = str(path)
    # Dataclasses look their module up by name while it is being run.
    sys.modules[module.__name__] = module
    try:
        exec(compile(path.read_bytes(), str(path), "exec"), vars(module))
    except Exception as error:
        del sys.modules[module.__name__]
        line = _line_in(error, str(path))
        raise SpaceError(
            f"search space {spec!r}: {path.name}{line} fails on import: "
            f"{type(error).__name__}: {error}"
        ) from error
    return module


def _line_in(error: BaseException, filename: str) -> str:
    """The last line of the user's file on the error's way, as ":12"."""
    if isinstance(error, SyntaxError):
        return f":{error.lineno}"
    line = ""
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == filename:
            line = f":{trace.tb_lineno}"
        trace = trace.tb_next
    return line


def _where(error: BaseException, function: Callable[..., Any]) -> str:
    code = getattr(function, "__code__", None)
    if code is None:
        return ""
    line = _line_in(error, code.co_filename)
    return f" ({Path(code.co_filename).name}{line})" if line else ""

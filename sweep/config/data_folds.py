"""`data.folds`: a plain number, or what each fold learns from as well."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter, WrapValidator

from sweep.config.section import Section
from trainers.data.folds import Folds

_Count = Annotated[int, Field(ge=2, strict=True)]
_NUMBER: TypeAdapter[int | None] = TypeAdapter(_Count | None)


class FoldsSection(Section):
    """How often the data are divided; a trial's metrics are means over the folds."""

    count: _Count = Field(description="of folds: origins in time, or groups of sequences")
    window: Literal["expanding", "sliding"] = Field(
        "expanding", description="learn from all before an origin, or from the last rows before it"
    )
    first: float | None = Field(
        None,
        gt=0,
        lt=1,
        description="share of the rows before the test part that lie before the first origin; "
        "null: 1 / (count + 1)",
    )


def folds_of(given: int | FoldsSection | None) -> Folds | None:
    """Return what a sweep file says, for `load_choices`."""
    if isinstance(given, FoldsSection):
        return Folds(given.count, given.window, given.first)
    return None if given is None else Folds(given)


def _number_or_section(value: Any, handler: Any) -> Any:
    """Validate by what is there: of a plain union every member would complain."""
    if isinstance(value, FoldsSection):
        return value
    if isinstance(value, Mapping):
        return FoldsSection.model_validate(value)
    return _NUMBER.validate_python(value)


DataFolds = Annotated[_Count | FoldsSection | None, WrapValidator(_number_or_section)]

"""`data.limit`: a plain number, or what to leave out before and after parts are made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field, TypeAdapter, WrapValidator, model_validator

from sweep.config.section import PositiveInt, Section
from trainers.data.limit import Limit

_NUMBER: TypeAdapter[int | None] = TypeAdapter(Annotated[int, Field(ge=1, strict=True)] | None)


class LimitSection(Section):
    """Less of the data, for a quick look."""

    first: PositiveInt | None = Field(
        None,
        description="read so many rows of each table, parts are made of them: csv, table, tokens",
    )
    last: PositiveInt | None = Field(None, description="likewise the last rows")
    sequences: PositiveInt | None = Field(
        None, description="as the plain number: of each part, or steps of a stream"
    )

    @model_validator(mode="after")
    def _one_end(self) -> LimitSection:
        if self.first is not None and self.last is not None:
            raise ValueError(
                f"must read the first or the last rows, but got first={self.first} and "
                f"last={self.last}"
            )
        return self


def limit_of(given: int | LimitSection | None) -> Limit:
    """Return what a sweep file says, for `load_data`."""
    if isinstance(given, LimitSection):
        return Limit(given.first, given.last, given.sequences)
    return Limit.of(given)


def _number_or_section(value: Any, handler: Any) -> Any:
    """Validate by what is there: of a plain union every member would complain."""
    if isinstance(value, LimitSection):
        return value
    if isinstance(value, Mapping):
        return LimitSection.model_validate(value)
    return _NUMBER.validate_python(value)


DataLimit = Annotated[PositiveInt | LimitSection | None, WrapValidator(_number_or_section)]

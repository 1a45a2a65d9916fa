"""What every section of a sweep file has in common."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

NAME = r"^[A-Za-z0-9._-]+$"
WORD = r"^[A-Za-z0-9_][A-Za-z0-9._:,@+-]*$"
OBJECT_NAME = r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$"
FOLDER = r"^/[A-Za-z0-9._/@+-]*$"
IMAGE = r"^[A-Za-z0-9][A-Za-z0-9._/:@+-]*$"
IN_WORDS = {
    NAME: "made of letters, digits, dots, dashes and underscores",
    WORD: "one word of letters, digits and any of . _ : , @ + -",
    OBJECT_NAME: "made of lower-case letters, digits, dots and dashes, no dot or dash at its ends",
    FOLDER: "an absolute path of letters, digits and any of . _ / @ + -",
    IMAGE: "an image's name, as registry.example/name:tag",
}
"""What a text that must match a pattern must be."""
PositiveInt = Annotated[int, Field(ge=1)]
PositiveFloat = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class Section(BaseModel):
    """One section of a sweep file: frozen, strict about types, no unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

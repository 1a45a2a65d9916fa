"""A text of rows, once it is known how it is written: read by pandas, piece by piece."""

from __future__ import annotations

import contextlib
import csv
import io
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

from trainers.data.tables.cells import USUAL_MARKS
from trainers.data.tables.compression import open_bytes
from trainers.data.tables.dialect import Dialect, rows_of
from trainers.data.tables.gathering import Gathered
from trainers.data.tables.layout import is_comment
from trainers.data.tables.reading_options import WHITESPACE, Decimal, ReadingOptions
from trainers.data.tables.request import Request
from trainers.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

_CELLS_A_PIECE = 300_000


@dataclass(frozen=True)
class TextFile:
    """How a text of rows is written. Columns go by their places, from 0.

    Attributes:
        names: The columns' names.
        decimal: The decimal mark of its numbers; None where its beginning shows none.
        texts: Places of columns that are read as texts.
        doubtful: A value that is read with a decimal point, which may stand between thousands.
    """

    request: Request
    encoding: str
    dialect: Dialect
    names: tuple[str, ...]
    decimal: Decimal | None = None
    texts: frozenset[int] = frozenset()
    doubtful: str | None = None

    @property
    def path(self) -> Path:
        """The file."""
        return self.request.path

    @property
    def reading(self) -> ReadingOptions:
        """What the user says of it."""
        return self.request.reading

    def gathered(self, columns: Sequence[int]) -> tuple[Gathered, int | None]:
        """Read columns as far as the request's limit goes.

        Returns:
            The pieces, and how many rows the file has; None where it has more than were read.

        Raises:
            DataError: a row has more or fewer fields than the header.
        """
        limit = self.request.limit
        first = None if self.request.last else limit
        gathered = Gathered(limit if self.request.last else None)
        checked = _Rows(self)
        with opened(self.path, self.encoding) as text:
            text.read(self.dialect.start)
            try:
                for piece in self._pieces(text, columns, first):
                    checked.check(piece)
                    kept = piece[[str(place) for place in columns]]
                    gathered.add(kept if first is None else kept.iloc[: first - gathered.rows])
            except _parser_errors() as error:
                checked.refuse(str(error))
        return gathered, None if first is not None and checked.rows > first else checked.rows

    def frame(self, text: str, columns: Sequence[int]) -> pd.DataFrame:
        """Read columns of a text that begins with the first row of data, as far as it goes."""
        pieces: list[pd.DataFrame] = []
        with contextlib.suppress(*_parser_errors()):  # `gathered` refuses it
            pieces += itertools.islice(self._pieces(io.StringIO(text), columns, None), 1)
        return pieces[0].iloc[:, : len(columns)] if pieces else _empty(columns)

    def _pieces(
        self, text: IO[str], columns: Sequence[int], limit: int | None
    ) -> Iterator[pd.DataFrame]:
        import pandas as pd

        width = len(self.names)
        # The last column shows rows that are too short, one more than there are those too long.
        places = sorted({*columns, width - 1, width})
        names = [str(place) for place in range(width + 1)]
        blank = self.dialect.separator == WHITESPACE
        try:
            with pd.read_csv(
                _Headed(text, (" " if blank else self.dialect.separator).join(names) + "\n"),
                sep=r"\s+" if blank else self.dialect.separator,
                header=0,
                usecols=[names[place] for place in places],
                index_col=False,
                dtype={str(place): "str" for place in {*self.texts, width} & set(places)},
                na_values={str(place): self._marks(place) for place in places},
                keep_default_na=False,
                quotechar=self.dialect.quote or '"',
                quoting=csv.QUOTE_MINIMAL if self.dialect.quote else csv.QUOTE_NONE,
                skipinitialspace=True,
                decimal=self.decimal or ".",
                low_memory=False,
                nrows=None if limit is None else limit + 1,
                chunksize=max(1_000, _CELLS_A_PIECE // len(places)),
            ) as reader:
                yield from reader
        except pd.errors.EmptyDataError:
            return

    def _marks(self, place: int) -> list[str]:
        """What stands for a missing value; words in texts are looked at when all are read."""
        own = [str(mark) for mark in self.reading.missing_values]
        words = place not in self.texts and self.reading.usual_missing_values
        return ["", *own, *(USUAL_MARKS if words else ())]


class _Rows:
    """Counts rows, and refuses those whose number of fields is not the header's."""

    def __init__(self, file: TextFile) -> None:
        self.rows = 0
        self._file = file
        self._may_be_short = file.reading.short_rows == "error" and len(file.names) > 1

    def check(self, piece: pd.DataFrame) -> None:
        width = len(self._file.names)
        self.rows += len(piece)
        if piece[str(width)].notna().any():
            self.refuse("a row has too many fields")
        if self._may_be_short and piece[str(width - 1)].isna().any():
            self._refuse_short()
            self._may_be_short = False

    def refuse(self, reason: str) -> None:
        """Raise, with the number of the first line that has too many fields."""
        width = len(self._file.names)
        for line, row in self._all():
            if len(row) > width and any(cell.strip() for cell in row[width:]):
                self._raise(line, row, "mend the line, or set data.reading.separator or columns")
        raise DataError(
            f"{self._file.path} can't be read as a table: {reason.strip().splitlines()[0]}; see "
            "data.reading.separator and data.reading.quote."
        )

    def _refuse_short(self) -> None:
        for line, row in self._all():
            if 0 < len(row) < len(self._file.names) and any(cell.strip() for cell in row):
                way_out = "mend the line, or set data.reading.short_rows: missing"
                if len(row) == 1 < len(self._file.names) - 1 or is_comment(row):
                    way_out = f"take it out of the file, if {row[0].strip()[:40]!r} is a remark"
                self._raise(line, row, way_out)

    def _raise(self, line: int, row: Sequence[str], way_out: str) -> None:
        separator, width = self._file.dialect.separator, len(self._file.names)
        raise DataError(
            f"{self._file.path.name}, line {line}: a row must have the header's {width} fields, "
            f"but this has {len(row)} (separator {separator!r}); {way_out}."
        )

    def _all(self) -> Iterator[tuple[int, list[str]]]:
        """All rows of data with the numbers of their lines, from 1."""
        dialect = self._file.dialect
        with opened(self._file.path, self._file.encoding) as text:
            before = text.read(dialect.start)
            lines = sum(1 for _ in io.StringIO(before, newline=""))
            for number, row in rows_of(iter(text), dialect.separator, dialect.quote):
                yield lines + number, row


class _Headed(io.TextIOBase):
    """A text behind one line more: pandas knows by it how many columns to count with."""

    def __init__(self, text: IO[str], header: str) -> None:
        self._text = text
        self._header = header

    def read(self, size: int | None = -1, /) -> str:
        header, self._header = self._header, ""
        return header or self._text.read(-1 if size is None else size)


@contextlib.contextmanager
def opened(path: Path, encoding: str) -> Iterator[IO[str]]:
    """Open a file's text, decompressed, with the line ends that it has."""
    with open_bytes(path) as stream, io.TextIOWrapper(stream, encoding, newline="") as text:
        yield text


def _parser_errors() -> tuple[type[Exception], ...]:
    import pandas as pd

    return (pd.errors.ParserError, csv.Error)


def _empty(columns: Sequence[int]) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame({str(place): pd.Series(dtype="str") for place in columns})

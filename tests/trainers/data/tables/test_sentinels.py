"""Numbers that likely stand for missing values."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.trainers.data.tables.reading_factory import read
from trainers.data.tables.sentinels import sentinel_notes


@pytest.mark.parametrize("mark", [-9999, -999, -99, 9999, 99999, -999.9, 1e20, -99.9])
def test_a_usual_mark_far_from_all_other_values_is_said(tmp_path: Path, mark: float) -> None:
    content = "t,x\n" + "".join(f"{n},{mark if n % 7 == 3 else n}\n" for n in range(30))
    (note,) = read(tmp_path, content).notes
    assert f"4 × {mark:g} in x" in note
    assert f"data.reading.missing_values: [{mark:g}]" in note
    mended = read(tmp_path, content, missing_values=(mark,))
    assert mended.notes == ()
    np.testing.assert_array_equal(
        mended.frame["x"], [np.nan if n % 7 == 3 else n for n in range(30)]
    )


@pytest.mark.parametrize(
    "values",
    [
        [-99, 50, -40, 20],  # as far from the others as these are from one another
        [99, 98, 97],
        [-9998, 1, 2],
        [-999, -999],
        [99, 60, 80],
        ["-999", "a"],
    ],
)
def test_other_numbers_are_not(values: list[object]) -> None:
    assert sentinel_notes(pd.DataFrame({"x": values})) == []


def test_many_columns_are_one_line() -> None:
    frame = pd.DataFrame({f"c{n}": [-999, 1, -999, 9999 if n else 2] for n in range(5)})
    (note,) = sentinel_notes(frame)
    assert "2 × -999 in c0, 2 × -999 in c1, 1 × 9999 in c1 and 6 more" in note
    assert "missing_values: [-999, 9999]" in note

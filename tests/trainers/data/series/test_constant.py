"""Columns that never change in a series are told, so that they go on where it does."""

import numpy as np
import pandas as pd
import pytest

from trainers.data.features.rows import Rows
from trainers.data.series.constant import constant_columns


@pytest.mark.parametrize("rows", [6, 10_000])
def test_one_value_over_each_series_whatever_is_missing(rows: int) -> None:
    half = rows // 2
    frame = pd.DataFrame(
        {
            "size": np.repeat([1.0, 2.0], half),
            "kind": np.repeat(["a", "b"], half),
            "gaps": np.where(np.arange(rows) % 2, np.nan, 5.0),
            "late": np.where(np.arange(rows) < rows - 1, 3.0, 4.0),
            "load": np.arange(rows),
        }
    )
    codes = np.repeat([0, 1], half)
    both = Rows(frame, codes, ("A", "B"), None, None, ())
    assert constant_columns(both, [*frame]) == ("size", "kind", "gaps")
    one = Rows(frame, np.zeros(rows, np.int64), (), None, None, ())
    assert constant_columns(one, [*frame]) == ("gaps",)

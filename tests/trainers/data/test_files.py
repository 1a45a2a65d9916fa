"""Files named by options."""

from __future__ import annotations

from pathlib import Path

import pytest

from trainers.data import load_data
from trainers.errors import DataError


@pytest.mark.parametrize("source", ["tokens", "text"])
def test_a_test_file_is_no_training_file(tmp_path: Path, source: str) -> None:
    (tmp_path / "a.txt").write_text("good film\t1\nbad film\t0\n" * 10)
    with pytest.raises(DataError, match=r"a\.txt is in train and test; change data\.test_path"):
        load_data(source, {"path": "*.txt", "test_path": "a.txt"}, base_dir=tmp_path)

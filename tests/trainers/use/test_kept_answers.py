"""Answers in a file: nothing is lost, the newest are kept where there is no room."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from trainers.errors import CheckpointError
from trainers.use.kept_answers import KeptAnswers


def kept(count: int = 6, **fields) -> KeptAnswers:
    targets = np.arange(2.0 * count).reshape(count, 2)
    ends = np.stack([targets, targets + 1])
    values = {
        "task": "regression", "names": ("a", "b"), "units": "Wh", "series": ("x", "y"),
        "horizon": 2, "levels": (0.5, 0.9), "targets": targets, "answers": targets + 0.5,
        "origins": np.arange(count), "steps": np.full(count, 3), "low": ends - 1, "high": ends + 1,
        "series_of": np.arange(count) % 2, **fields,
    }  # fmt: skip
    return KeptAnswers(**values)


def test_a_file_holds_everything(tmp_path: Path):
    made = kept(mask=np.eye(6, 2, dtype=bool), times=np.arange(6) * 10**9)
    path = tmp_path / "trial.safetensors"
    path.write_bytes(made.to_bytes())
    read = KeptAnswers.read(path)
    for name, value in vars(made).items():
        np.testing.assert_array_equal(getattr(read, name), value, err_msg=name)
    assert KeptAnswers.read(path).names == ("a", "b")


def test_the_newest_are_kept_where_there_is_no_room():
    shorter = kept().newest(5)  # two targets of two answers each
    assert shorter.targets.tolist() == [[8, 9], [10, 11]]
    assert shorter.low is not None
    assert shorter.low.shape == (2, 2, 2)
    assert shorter.low[0].tolist() == [[7, 8], [9, 10]]
    assert shorter.series_of.tolist() == [0, 1]
    assert shorter.left_out == 4
    assert kept().newest(12) is not shorter
    assert len(kept().newest(12)) == 6


def test_a_damaged_file_is_one_line(tmp_path: Path):
    path = tmp_path / "torn.safetensors"
    path.write_bytes(kept().to_bytes()[:100])
    with pytest.raises(CheckpointError, match=r"torn\.safetensors can't be read"):
        KeptAnswers.read(path)

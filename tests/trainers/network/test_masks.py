from __future__ import annotations

import numpy as np
import torch

from trainers.network.masks import Compaction, ends_of, last_of, pattern_of, reverse_rows


def bits(*rows):
    return np.array([[c == "1" for c in row] for row in rows])


def test_patterns_are_told_apart():
    assert pattern_of(None) == "none"
    assert pattern_of(bits("111", "111")) == "none"
    assert pattern_of(bits("110", "111")) == "prefix"
    assert pattern_of(bits("101", "111")) == "general"
    assert pattern_of(bits("011", "111")) == "general"


def test_ends_are_the_step_after_the_last_existing_one():
    assert ends_of(bits("110", "101", "000"), 3, 3).tolist() == [2, 3, 0]
    assert ends_of(None, 2, 7).tolist() == [7, 7]


def test_compaction_moves_existing_steps_left_and_remembers_where():
    moved = Compaction.of(bits("0101", "1000"))
    assert moved.lengths.tolist() == [2, 1]
    assert moved.place.tolist() == [[-1, 0, 0, 1], [0, 0, 0, 0]]
    values = np.array([[np.nan, 1.0, np.nan, 2.0], [3.0, np.nan, 1e9, np.nan]])
    assert moved.gather(values).tolist() == [[1.0, 2.0], [3.0, 0.0]]


def test_rows_are_reversed_within_their_own_steps():
    values = torch.tensor([[[[1.0], [2.0], [3.0]], [[4.0], [5.0], [6.0]]]])
    mirrored = reverse_rows(values, torch.tensor([[3, 2]]))
    assert mirrored[0, :, :2, 0].tolist() == [[3.0, 2.0], [5.0, 4.0]]
    assert reverse_rows(values, None)[0, 1, :, 0].tolist() == [6.0, 5.0, 4.0]


def test_last_output_of_an_empty_row_is_its_initial_state():
    outputs = torch.arange(12.0).reshape(1, 2, 3, 2)
    last = last_of(outputs, torch.tensor([[2, 0]]), torch.full((1, 2, 2), -1.0))
    assert last[0].tolist() == [[2.0, 3.0], [-1.0, -1.0]]

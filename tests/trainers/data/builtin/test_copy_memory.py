"""Copy memory: ten symbols, a delay, the ten symbols again."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from trainers.data import SequenceData, load_data
from trainers.errors import DataError

FEW = {"train_sequences": 400, "validation_sequences": 5, "test_sequences": 5}


def load(**values: object) -> SequenceData:
    return load_data("copy", {**FEW, **values}, base_dir=Path())


def test_a_sequence_is_symbols_blanks_a_sign_and_blanks() -> None:
    data = load(delay=3)
    inputs, targets = data.train.inputs[0], data.train.targets[0]
    words = [data.tokens[i] for i in inputs]
    assert len(words) == 23
    assert words[10:] == ["blank"] * 2 + ["begin"] + ["blank"] * 10
    assert targets[:13].tolist() == [8] * 13
    assert targets[13:].tolist() == inputs[:10].tolist()
    assert data.target_names == (*"01234567", "blank")


def test_all_eight_symbols_are_equally_likely() -> None:
    counts = np.bincount(load().train.inputs[:, :10].reshape(-1))
    assert len(counts) == 8
    assert counts.min() > 400


def test_the_note_tells_what_a_net_without_memory_reaches() -> None:
    data = load(delay=100)
    # It knows when to answer but not what: the answers cost ln 8 each, all else nothing.
    answers = (data.train.targets != 8).mean()
    assert answers * math.log(8) == pytest.approx(0.1733, abs=5e-5)
    assert "= 0.1733 nats a step" in data.notes[0]


def test_parts_and_seeds_differ_and_repeat() -> None:
    assert load(seed=1).digest == load(seed=1).digest != load(seed=2).digest
    data = load()
    assert not (data.train.inputs[:5] == data.validation.inputs).all()
    longer = load(train_sequences=500)
    np.testing.assert_array_equal(longer.validation.inputs, data.validation.inputs)


@pytest.mark.parametrize("values", [{"delay": 0}, {"train_sequences": 0}, {"seed": -1}])
def test_an_impossible_option_is_refused(values: dict[str, object]) -> None:
    with pytest.raises(DataError, match="must hold"):
        load(**values)

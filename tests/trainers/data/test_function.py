"""A source of the user's own: `path.py:function`."""

from __future__ import annotations

import runpy
import textwrap
from pathlib import Path

import numpy as np
import pytest

from trainers.data import SequenceData, load_data
from trainers.errors import DataError

GOOD = """
    from __future__ import annotations
    from dataclasses import dataclass
    import numpy as np

    @dataclass
    class Shape:
        rows: int
        steps: int = 4

    def part(shape, last_only):
        mask = np.ones((shape.rows, shape.steps), bool)
        mask[:, :-1] &= not last_only
        return {
            "inputs": np.arange(shape.rows * shape.steps * 2.0).reshape(shape.rows, shape.steps, 2),
            "targets": np.ones((shape.rows, shape.steps, 1)),
            "target_mask": mask,
        }

    def regression(rows=3, last_only=True):
        one = part(Shape(rows), last_only)
        return {"task": "regression", "train": one, "validation": one, "units": "m"}

    def classification():
        one = part(Shape(3), False)
        one["targets"] = np.array([[0, 1, 2, 1]] * 3, dtype=np.int32)
        return {"task": "classification", "train": one, "validation": one, "test": one}
"""


def write(folder: Path, text: str) -> Path:
    (folder / "own.py").write_text(textwrap.dedent(text))
    return folder


def load(folder: Path, function: str, **options: object) -> SequenceData:
    own = runpy.run_path(str(folder / "own.py"))[function]
    return load_data(f"own.py:{function}", options, base_dir=folder, function=own)


def test_a_mapping_becomes_the_contract(tmp_path: Path) -> None:
    data = load(write(tmp_path, GOOD), "regression", rows=5)
    assert data.train.inputs.shape == (5, 4, 2)
    assert data.train.inputs.dtype == data.train.targets.dtype == np.float32
    assert (data.input_size, data.output_size, data.units) == (2, 1, "m")
    assert data.test is None
    assert data.one_target
    assert len(data.digest) == 64


def test_one_target_is_inferred_from_the_masks(tmp_path: Path) -> None:
    assert not load(write(tmp_path, GOOD), "regression", last_only=False).one_target


def test_classes_are_counted_and_ids_widened(tmp_path: Path) -> None:
    data = load(write(tmp_path, GOOD), "classification")
    assert data.output_size == 3
    assert data.train.targets.dtype == np.int64


def test_a_finished_data_set_is_taken_as_it_is_and_checked(tmp_path: Path) -> None:
    text = """
        from pathlib import Path
        from trainers.data import load_data
        def adding():
            return load_data("adding", {"train_sequences": 9}, base_dir=Path())
    """
    data = load(write(tmp_path, text), "adding")
    expected = load_data("adding", {"train_sequences": 9}, base_dir=Path())
    assert data.digest == expected.digest


FAILING = """
    def number():
        return 3

    def unknown():
        return {"task": "regression", "trian": None}

    def nothing():
        return {"task": "regression", "train": {"inputs": [[[1.0]]], "targets": [[[1.0]]]}}

    def ids():
        one = {"inputs": [[[1.0]]], "targets": [[0.5]]}
        return {"task": "classification", "train": one, "validation": one}

    def flat():
        one = {"inputs": [[1.0]], "targets": [[[1.0]]]}
        return {"task": "regression", "train": one, "validation": one}
"""


@pytest.mark.parametrize(
    ("function", "message"),
    [
        ("number", "must return a SequenceData or a dict, but got int"),
        ("unknown", "unknown name 'trian'; did you mean 'train'"),
        ("nothing", "must return 'validation'"),
        ("ids", r"targets must be whole class ids of shape .* got shape \(1, 1\) of float64"),
        ("flat", r"inputs must be numbers of shape \(sequences, time, n\)"),
    ],
)
def test_a_failing_function_gives_one_clear_line(
    tmp_path: Path, function: str, message: str
) -> None:
    with pytest.raises(DataError, match=message) as caught:
        load(write(tmp_path, FAILING), function)
    assert "\n" not in str(caught.value)


def test_options_that_the_function_does_not_take_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="'row'; its options are: rows, last_only"):
        load(write(tmp_path, GOOD), "regression", row=3)


STREAM = """
    import numpy as np

    def text(**changes):
        ids = np.array([[0, 1, 2, 1, 0]])
        part = {"inputs": ids, "targets": ids, "resets": ids == 0}
        answer = {"task": "classification", "train": part, "validation": part}
        return {**answer, "walk": "stream", "tokens": ["a", "b", "c", "d"], "classes": 4, **changes}
"""


def test_a_function_can_return_a_stream_with_its_vocabulary(tmp_path: Path) -> None:
    data = load(write(tmp_path, STREAM), "text", class_weights=[1, 1, 1, 2])
    assert (data.walk, data.vocabulary_size, data.input_size) == ("stream", 4, 4)
    assert data.tokens == ("a", "b", "c", "d")
    assert data.train.resets is not None
    assert data.train.resets.tolist() == [[True, False, False, False, True]]
    assert data.class_weights is not None
    assert data.class_weights.tolist() == [1, 1, 1, 2]
    assert not data.one_target


def test_a_stream_of_one_step_is_a_stream_still(tmp_path: Path) -> None:
    write(tmp_path, STREAM.replace("[0, 1, 2, 1, 0]", "[0]"))
    assert not load(tmp_path, "text").one_target


def test_a_vocabulary_size_is_a_whole_number(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="vocabulary_size must be an int, but got 'many'"):
        load(write(tmp_path, STREAM), "text", vocabulary_size="many")

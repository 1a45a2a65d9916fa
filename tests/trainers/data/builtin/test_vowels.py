"""Japanese vowels: the official parts, and the baseline that anyone can compute."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from trainers.data import SequenceData, SequenceSet, load_data
from trainers.data.builtin import vowels
from trainers.data.builtin.download import RemoteFile, sha256_of
from trainers.errors import DataError


def load(folder: Path, **values: object) -> SequenceData:
    return load_data("vowels", {"path": str(folder), **values}, base_dir=Path())


def labels(part: SequenceSet) -> np.ndarray:
    assert part.target_mask is not None
    return part.targets[part.target_mask]


def test_the_official_test_part_is_kept_and_the_rest_divided(vowels_folder: Path) -> None:
    data = load(vowels_folder)
    assert [len(part) for part in data.parts().values()] == [216, 54, 370]
    assert np.bincount(labels(data.train)).tolist() == [24] * 9
    assert np.bincount(labels(data.validation)).tolist() == [6] * 9
    assert data.test is not None
    assert np.bincount(labels(data.test)).tolist() == [31, 35, 88, 44, 29, 24, 40, 50, 29]
    assert data.test.time_steps == 29
    assert data.one_target


def test_every_frame_is_read_and_no_terminator(vowels_folder: Path) -> None:
    data = load(vowels_folder, scaling="none")
    frames = 0
    for part in (data.train, data.validation):
        assert part.input_mask is not None
        frames += int(part.input_mask.sum())
        assert not (part.inputs[part.input_mask] == 1).all(axis=1).any()
    assert frames == 4_274
    assert data.test is not None
    assert data.test.input_mask is not None
    assert int(data.test.input_mask.sum()) == 5_687
    expected = [1.635533, 0.024848, 0.432087, -0.361914]
    np.testing.assert_allclose(data.test.inputs[0, 0, :4], expected, rtol=1e-6)


def test_scaling_sees_training_frames_only(vowels_folder: Path) -> None:
    data = load(vowels_folder)
    assert data.train.input_mask is not None
    frames = data.train.inputs[data.train.input_mask]
    np.testing.assert_allclose(frames.mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(frames.std(axis=0), 1, atol=1e-5)


def test_ridge_on_the_last_frame_gives_the_known_accuracy(vowels_folder: Path) -> None:
    data = load(vowels_folder, scaling="none")

    def last(part: SequenceSet) -> np.ndarray:
        assert part.target_mask is not None
        frames = part.inputs[part.target_mask].astype(np.float64)
        return np.column_stack([frames, np.ones(len(frames))])

    train = np.concatenate([last(data.train), last(data.validation)])
    target = np.eye(9)[np.concatenate([labels(data.train), labels(data.validation)])]
    assert data.test is not None
    weights = np.linalg.solve(train.T @ train + 1e-3 * np.eye(13), train.T @ target)
    accuracy = ((last(data.test) @ weights).argmax(axis=1) == labels(data.test)).mean()
    assert accuracy == pytest.approx(0.927, abs=0.01)


def test_the_seed_chooses_the_split(vowels_folder: Path) -> None:
    first = load(vowels_folder)
    assert load(vowels_folder).digest == first.digest != load(vowels_folder, seed=1).digest
    shares = load(vowels_folder, split=[0.5, 0.5])
    assert [len(part) for part in shares.parts().values()] == [135, 135, 370]


def test_without_a_path_both_files_are_fetched(
    vowels_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fetch(remote: RemoteFile, folder: Path) -> Path:
        del folder
        return vowels_folder / remote.name

    for remote in (vowels.TRAIN_FILE, vowels.TEST_FILE):
        assert sha256_of(vowels_folder / remote.name) == remote.sha256
    monkeypatch.setattr(vowels, "fetch", fetch)
    assert load_data("vowels", {}, base_dir=Path()).digest == load(vowels_folder).digest


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1 2 3\n", "line 1: must hold 12 numbers, but got '1 2 3'"),
        ("a " * 12 + "\n", "line 1: must hold 12 numbers"),
        ("2 " * 12 + "\n\n", "must hold 270 utterances, but has 1"),
    ],
)
def test_another_file_is_refused_in_one_line(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "ae.train").write_text(text)
    with pytest.raises(DataError, match=message) as caught:
        load(tmp_path)
    assert "\n" not in str(caught.value)


def test_a_folder_without_the_files_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"there is no data file .*ae\.train"):
        load(tmp_path)
    with pytest.raises(DataError, match="two positive shares"):
        load(tmp_path, split=[0.7, 0.15, 0.15])

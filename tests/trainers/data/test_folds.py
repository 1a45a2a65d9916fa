"""Folds of whole sequences, and folds of each choice of an option."""

import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from trainers.data import load_data, load_folds
from trainers.data.choices import choice_key, load_choices
from trainers.data.contract import SequenceSet
from trainers.data.folds import Folds
from trainers.data.sequences.pooling import joined
from trainers.errors import DataError

WALKERS = 20


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Twenty walkers of two kinds, 4 to 6 rows each; walker n's numbers lie around n."""
    frames = [
        pd.DataFrame({"id": f"w{n}", "x": n + np.arange(4 + n % 3) / 10, "kind": "ab"[n % 2]})
        for n in range(WALKERS)
    ]
    pd.concat(frames).to_csv(tmp_path / "walks.csv", index=False)
    return tmp_path


TABLE = {
    "path": "walks.csv", "sequence": "id", "target": "kind", "task": "classification",
    "alignment": "one_label", "split": [0.6, 0.2, 0.2],
}  # fmt: skip


def test_each_sequence_outside_the_test_part_is_held_out_once(table):
    found = load_folds("table", TABLE, Folds(4), base_dir=table)
    whole = load_data("table", TABLE, base_dir=table)
    judged = [set(one.ids["validation"]) for one in found]
    assert [len(own) for own in judged] == [4, 4, 4, 4]
    assert found[-1].ids["test"] == whole.ids["test"]
    assert set().union(*judged) == {*whole.ids["train"], *whole.ids["validation"]}
    for one, own in zip(found, judged, strict=True):
        assert set(one.ids["train"]) == set().union(*judged) - own
        assert (one.test is None) == (one is not found[-1])


def test_each_group_has_the_classes_proportions(table):
    for one in load_folds("table", TABLE, Folds(4), base_dir=table):
        kinds = [int(name[1:]) % 2 for name in one.ids["validation"]]
        assert sorted(kinds) == [0, 0, 1, 1]


def test_sequences_are_scaled_by_each_folds_training_part(table):
    for one in load_folds("table", TABLE, Folds(4), base_dir=table):
        rows = np.concatenate(
            [int(n[1:]) + np.arange(4 + int(n[1:]) % 3) / 10 for n in one.ids["train"]]
        )
        assert one.input_shift == pytest.approx([rows.mean()])
        assert one.input_scale == pytest.approx([rows.std()])


def test_a_column_of_parts_leaves_its_test_part_alone(table):
    frame = pd.read_csv(table / "walks.csv")
    number = frame["id"].str[1:].astype(int)
    frame["part"] = np.where(number < 8, "train", np.where(number < 14, "validation", "test"))
    frame.to_csv(table / "walks.csv", index=False)
    options = {name: value for name, value in TABLE.items() if name != "split"}
    found = load_folds("table", {**options, "split_column": "part"}, Folds(2), base_dir=table)
    assert {int(name[1:]) for name in found[-1].ids["test"]} == set(range(14, 20))
    assert sorted(len(one.ids["validation"]) for one in found) == [7, 7]


def test_sequences_of_a_group_are_never_divided(table):
    frame = pd.read_csv(table / "walks.csv")
    frame["person"] = frame["id"].str[1:].astype(int) // 3  # seven persons of three walks, or two
    frame.to_csv(table / "walks.csv", index=False)
    options = {**TABLE, "group": "person"}
    found = load_folds("table", options, Folds(3), base_dir=table)
    persons = [
        {part: {int(name[1:]) // 3 for name in names} for part, names in one.ids.items()}
        for one in [*found, load_data("table", options, base_dir=table)]
    ]
    for own in persons:
        assert not own["train"] & own["validation"]
    tested = persons[-1]["test"]
    assert tested
    assert persons[2]["test"] == tested
    assert not tested & (persons[-1]["train"] | persons[-1]["validation"])
    judged = [own["validation"] for own in persons[:3]]
    assert sum(map(len, judged)) == len(set().union(*judged)) == 7 - len(tested)
    assert found[0].input_names == ("x",)
    with pytest.raises(
        DataError, match=r"needs a group \(data\.group\), but data\.folds=9 divides"
    ):
        load_folds("table", options, Folds(9), base_dir=table)


def test_cases_of_an_archive_are_held_out_in_turn(tmp_path):
    lines = [f"{n % 2},{n}.0,{n + 1}.0" for n in range(20)]
    (tmp_path / "a.csv").write_text("kind,t0,t1\n" + "\n".join(lines) + "\n")
    options = {"path": "a.csv", "target": "kind", "split": [0.6, 0.2, 0.2]}
    found = load_folds("sequences", options, Folds(4), base_dir=tmp_path)
    judged = [one.ids["validation"] for one in found]
    assert len({name for own in judged for name in own}) == 16
    assert len({one.input_shift[0] for one in found}) == 4


def test_any_source_of_sequences_has_folds_and_says_that_its_scaling_is_common():
    options = {"length": 6, "train_sequences": 20, "validation_sequences": 10, "test_sequences": 4}
    whole = load_data("adding", options, base_dir=Path())
    pool = np.concatenate([np.asarray(whole.train.targets), np.asarray(whole.validation.targets)])
    found = load_folds("adding", options, Folds(3), base_dir=Path())
    assert [len(one.validation) for one in found] == [10, 10, 10]
    judged = np.concatenate([np.asarray(one.validation.targets) for one in found])
    key = lambda values: sorted(values.max(axis=(1, 2)).tolist())  # noqa: E731
    assert key(judged) == key(pool)
    assert any("scaling and vocabulary of all folds are those" in n for n in found[-1].notes)
    assert len({one.digest for one in found}) == 3
    again = load_folds("adding", {**options, "seed": 1}, Folds(3), base_dir=Path())
    assert again[0].digest != found[0].digest


def test_parts_of_unequal_length_are_joined_under_masks():
    short = SequenceSet(np.ones((2, 3, 1), np.float32), np.ones((2, 3, 1), np.float32))
    long = SequenceSet(
        np.full((1, 5, 1), 2, np.float32), np.full((1, 5, 1), 2, np.float32),
        target_mask=np.array([[False, False, True, True, True]]),
    )  # fmt: skip
    both = joined(short, long)
    assert both.inputs.shape == (3, 5, 1)
    assert both.input_mask.sum(axis=1).tolist() == [3, 3, 5]
    assert both.target_mask.sum(axis=1).tolist() == [3, 3, 3]


def test_a_function_of_ones_own_has_folds_too(tmp_path):
    def waves(seed=0):
        rng = np.random.default_rng(seed)

        def part(rows):
            walk = rng.normal(size=(rows, 5, 1)).astype(np.float32)
            return {"inputs": walk, "targets": walk}

        return {"task": "regression", "train": part(8), "validation": part(4)}

    found = load_folds("own", {}, Folds(4), base_dir=tmp_path, function=waves)
    assert [(len(one.train), len(one.validation)) for one in found] == [(9, 3)] * 4


class TestRefused:
    def test_a_stream(self, tmp_path):
        (tmp_path / "a.txt").write_text("to be or not to be " * 20)
        with pytest.raises(DataError, match="'text' is one stream, which has no folds"):
            load_folds("text", {"path": "a.txt"}, Folds(3), base_dir=tmp_path)

    @pytest.mark.parametrize(
        ("folds", "options", "message"),
        [
            (Folds(17), {}, r"data\.folds=17 divides 16 outside the test part"),
            (Folds(3, "sliding"), {}, r"data\.folds\.window=sliding is of rows in time"),
            (Folds(3, first=0.5), {}, r"data\.folds\.first=0\.5 is of rows in time"),
            (Folds(3), {"validation_path": "walks.csv"}, r"data\.validation_path brings"),
        ],
    )
    def test_what_whole_sequences_do_not_have(self, table, folds, options, message):
        given = {n: v for n, v in TABLE.items() if not (options and n == "split")}
        with pytest.raises(DataError, match=message):
            load_folds("table", {**given, **options}, folds, base_dir=table)

    def test_an_argument_of_that_name(self, tmp_path):
        with pytest.raises(DataError, match=r"data\.folds divides what any source loads"):
            load_data("own", {}, base_dir=tmp_path, function=lambda folds=3: None)


class TestChoices:
    @pytest.fixture
    def folder(self, tmp_path):
        rows = {"load": np.arange(60.0) % 7, "temp": np.arange(60.0)}
        pd.DataFrame(rows).to_csv(tmp_path / "load.csv", index=False)
        return tmp_path

    def load(self, folder, folds, **dimensions):
        options = {"path": "load.csv", "target": "load", "input_steps": 3}
        return load_choices("csv", options, dimensions, base_dir=folder, folds=folds)

    def test_every_choice_has_the_same_folds(self, folder):
        choices = self.load(folder, Folds(3), input_steps=[2, 9])
        assert list(choices.by_key) == ['{"input_steps":2}', '{"input_steps":9}']
        own = choices.folds_of(choice_key({"input_steps": 9}))
        assert list(own) == [
            '{"input_steps":9}#fold 0', '{"input_steps":9}#fold 1', '{"input_steps":9}'
        ]  # fmt: skip
        assert [one.train.time_steps for one in own.values()] == [9, 9, 9]
        assert all(choices.of(key) is one for key, one in own.items())

    def test_the_digest_is_that_of_all_folds(self, folder):
        digests = [self.load(folder, folds).digest for folds in (None, Folds(2), Folds(3))]
        assert len(set(digests)) == 3
        alone = load_data(
            "csv", {"path": "load.csv", "target": "load", "input_steps": 3}, base_dir=folder
        )
        assert digests[0] == alone.digest

    def test_they_are_pickled_as_they_are(self, folder):
        choices = self.load(folder, Folds(3))
        back = pickle.loads(pickle.dumps(choices))
        assert back.folds == 3
        assert back.digest == choices.digest
        found = np.asarray(back.of("#fold 1").train.inputs)
        assert np.array_equal(found, np.asarray(choices.of("#fold 1").train.inputs))

    def test_a_loss_is_compared_fold_by_fold(self, folder):
        assert self.load(folder, Folds(2), input_steps=[2, 5]).have_one_loss
        assert not self.load(folder, Folds(2), scaling=["standard", "minmax"]).have_one_loss

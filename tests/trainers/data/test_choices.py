"""Options of the data as dimensions: one data set a choice, judged on the same targets."""

import dataclasses
import json
import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from trainers.data import load_data
from trainers.data.choices import DataChoices, choice_key, load_choices
from trainers.data.contract import array_bytes
from trainers.data.limit import Limit
from trainers.data.tables.table import read_table
from trainers.data.views import Picked, owner
from trainers.errors import DataError

ROWS = 200
CSV = {"path": "load.csv", "target": "load", "split": [0.5, 0.25, 0.25]}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    columns = {"load": np.arange(ROWS) * 10.0, "temp": rng.normal(size=ROWS)}
    pd.DataFrame(columns).to_csv(tmp_path / "load.csv", index=False)
    return tmp_path


def load(folder: Path, function=None, source="csv", options=CSV, limit=None, **dimensions):
    return load_choices(
        source, options, dimensions, base_dir=folder, function=function, limit=limit
    )


def targets(data, part):
    """The targets that count, in their own units, one a sequence."""
    found = data.parts()[part]
    values = np.asarray(found.targets)[np.asarray(found.target_mask)]
    return (values * data.target_scale + data.target_shift).round(3)[:, 0].tolist()


def test_without_dimensions_there_is_one_choice_and_it_is_what_a_source_loads(folder):
    choices = load(folder)
    alone = load_data("csv", CSV, base_dir=folder)
    assert list(choices.by_key) == [""]
    assert choices.digest == choices.default.digest == alone.digest
    assert choices.of("") is choices.default


def test_every_combination_is_loaded_under_its_key(folder):
    choices = load(folder, input_steps=[4, 8], inputs=[["load"], ["load", "temp"]])
    shapes = {key: data.train.inputs.shape[1:] for key, data in choices.by_key.items()}
    assert shapes == {
        '{"input_steps":4,"inputs":["load"]}': (4, 1),
        '{"input_steps":4,"inputs":["load","temp"]}': (4, 2),
        '{"input_steps":8,"inputs":["load"]}': (8, 1),
        '{"input_steps":8,"inputs":["load","temp"]}': (8, 2),
    }
    assert choice_key({"input_steps": 8, "inputs": ["load"]}) in choices.by_key
    assert choice_key({}) == ""


def test_a_drawn_option_takes_the_place_of_the_fixed_one(folder):
    choices = load(folder, options={**CSV, "input_steps": 99}, input_steps=[4])
    assert choices.default.train.time_steps == 4


def test_a_choice_is_the_data_that_the_option_alone_gives(folder):
    choices = load(folder, input_steps=[4, 8])
    for steps in (4, 8):
        alone = load_data("csv", {**CSV, "input_steps": steps}, base_dir=folder)
        assert choices.of(choice_key({"input_steps": steps})).digest == alone.digest


def test_the_digest_is_that_of_all_choices(folder):
    both, one = load(folder, input_steps=[4, 8]), load(folder, input_steps=[4])
    assert len({both.digest, one.digest, load(folder).digest}) == 3
    assert both.digest == load(folder, input_steps=[4, 8]).digest


def test_an_unknown_choice_is_one_line(folder):
    with pytest.raises(DataError, match=r"one of the sweep's choices \(''\), but got 'x'"):
        load(folder).of("x")


class TestSharedArrays:
    def test_equal_arrays_are_one_and_windows_stay_views_of_it(self, folder):
        choices = load(folder, input_steps=[20, 40, 60])
        series = {id(owner(data.train.inputs)) for data in choices.by_key.values()}
        assert len(series) == 1
        assert len({id(owner(d.test.targets)) for d in choices.by_key.values()}) == 1
        assert choices.array_bytes < 1.1 * array_bytes(choices.default)

    def test_what_is_shared_is_pickled_once(self, folder):
        def pickled(choices):
            buffers = []
            content = pickle.dumps(choices, protocol=5, buffer_callback=buffers.append)
            return sum(buffer.raw().nbytes for buffer in buffers), content, buffers

        one, _, _ = pickled(load(folder, input_steps=[20]))
        three, content, buffers = pickled(load(folder, input_steps=[20, 40, 60]))
        assert one >= ROWS * (2 + 1) * 4
        assert three < 1.2 * one
        again = pickle.loads(content, buffers=buffers)
        assert len({id(owner(d.train.inputs)) for d in again.by_key.values()}) == 1
        for key, data in load(folder, input_steps=[20, 40, 60]).by_key.items():
            assert np.array_equal(again.of(key).test.inputs, data.test.inputs)

    def test_picked_rows_share_their_series(self, folder):
        frame = pd.read_csv(folder / "load.csv")
        frame.loc[[30, 120, 121, 170], "load"] = np.nan
        frame.to_csv(folder / "load.csv", index=False)
        choices = load(folder, options={**CSV, "missing": "mask"}, input_steps=[4, 8])
        parts = [data.train.inputs for data in choices.by_key.values()]
        assert all(isinstance(part, Picked) for part in parts)
        assert owner(parts[0].array) is owner(parts[1].array)


class TestCommonTargets:
    def test_windows_of_any_length_are_judged_on_the_same_rows(self, folder):
        choices = load(folder, input_steps=[4, 60])
        for part in ("validation", "test"):
            known = [targets(data, part) for data in choices.by_key.values()]
            assert known[0] == known[1]
        assert targets(choices.default, "validation")[:2] == [1000.0, 1010.0]
        assert [len(d.train) for d in choices.by_key.values()] == [96, 40]

    def test_strides_meet_at_their_common_multiples(self, folder):
        choices = load(folder, stride=[2, 3])
        assert [targets(data, "validation") for data in choices.by_key.values()] == [
            [1000.0 + 60 * step for step in range(9)]
        ] * 2
        two, three = choices.by_key.values()
        assert len(two.train) > len(three.train)
        note = "validation: judged on the 9 targets that all choices have; up to 16 left out"
        assert note in two.notes
        assert note in three.notes
        assert not isinstance(two.validation.inputs, Picked)
        assert owner(two.validation.inputs) is owner(two.train.inputs)

    def test_what_is_left_out_changes_the_digest_of_the_choices_that_lose_it(self, folder):
        choices = load(folder, stride=[2, 4])
        two, four = choices.by_key.values()
        assert two.digest != load_data("csv", {**CSV, "stride": 2}, base_dir=folder).digest
        assert four.digest == load_data("csv", {**CSV, "stride": 4}, base_dir=folder).digest

    def test_windows_that_miss_their_inputs_in_one_choice_are_left_out_of_all(self, folder):
        frame = pd.read_csv(folder / "load.csv")
        frame["late"] = np.where(np.arange(ROWS) < 120, np.nan, 1.0)
        frame.loc[0:60, "late"] = 1.0
        frame.to_csv(folder / "load.csv", index=False)
        options = {**CSV, "missing": "mask", "input_steps": 4}
        choices = load(folder, options=options, inputs=[["load"], ["load", "late"]])
        plain, late = choices.by_key.values()
        assert targets(plain, "validation") == targets(late, "validation")
        assert targets(late, "validation")[0] == 1210.0
        assert len(late.validation) == 29

    def test_choices_with_no_target_in_common_are_refused(self, folder):
        def own(start):
            found = load_data("csv", {**CSV, "stride": 2}, base_dir=folder)
            part = dataclasses.replace(
                found.validation, origins=np.arange(len(found.validation)) + start
            )
            return dataclasses.replace(found, validation=part)

        with pytest.raises(DataError, match=r"data\.start must have validation targets in common"):
            load(folder, source="a.py:own", options={}, function=own, start=[0, 500])

    def test_scaling_is_no_difference_in_own_units(self, folder):
        choices = load(folder, scaling=["standard", "minmax", "none"])
        assert len(choices.by_key) == 3
        assert not choices.have_one_loss
        assert load(folder, input_steps=[4, 8]).have_one_loss

    def test_targets_at_every_step_are_others_for_another_length(self, folder):
        options = {**CSV, "targets": "every"}
        with pytest.raises(DataError, match=r"data\.input_steps can't be searched: .* 4 or 8 ste"):
            load(folder, options=options, input_steps=[4, 8])
        assert len(load(folder, options=options, inputs=["load", "temp"]).by_key) == 2

    def test_a_scale_of_each_sequences_own_is_no_difference_but_another_loss(self, folder):
        def own(factor, shifted=0.0):
            def part(found):
                by = np.tile(np.array([factor, 1.0])[:, None], (len(found), 1, 1))
                targets = (np.asarray(found.targets) - 1 + shifted) / factor
                return dataclasses.replace(found, targets=targets.astype("f4"), rescale=by)

            data = load_data("csv", CSV, base_dir=folder)
            parts = {name: part(found) for name, found in data.parts().items()}
            return dataclasses.replace(data, **parts)

        def choices(**dimensions):
            return load(folder, source="a.py:own", options={"factor": 1.0}, function=own,
                        **dimensions)  # fmt: skip

        assert not choices(factor=[1.0, 2.0]).have_one_loss
        with pytest.raises(DataError, match=r"data\.shifted can't be searched.*targets differ"):
            choices(shifted=[0.0, 0.1])

    def test_a_limit_holds_for_each_choice(self, folder):
        choices = load(folder, input_steps=[4, 8], limit=5)
        assert [targets(d, "validation") for d in choices.by_key.values()] == [
            [1000.0, 1010.0, 1020.0, 1030.0, 1040.0]
        ] * 2


class TestRefused:
    @pytest.mark.parametrize(
        ("name", "message"),
        [
            ("target", r"data\.target can't be searched: it changes what is predicted"),
            ("path", r"data\.path can't be searched"),
            ("split", r"data\.split can't be searched"),
            ("output_steps", r"data\.output_steps can't be searched"),
            ("input_step", r"'csv' has no option 'input_step'; did you mean 'input_steps'\?"),
        ],
    )
    def test_what_changes_the_prediction(self, folder, name, message):
        with pytest.raises(DataError, match=message) as error:
            load(folder, **{name: ["load", "temp"]})
        assert len(str(error.value)) < 300

    def test_more_combinations_than_can_be_loaded(self, folder):
        with pytest.raises(DataError, match=r"at most 64 choices.*have 70 combinations"):
            load(folder, input_steps=list(range(1, 36)), stride=[1, 2])

    def test_a_choice_that_does_not_load_is_named(self, folder):
        with pytest.raises(DataError, match=r"^with data\.input_steps=500: a window spans 501"):
            load(folder, input_steps=[4, 500])

    def test_an_unknown_source(self, folder):
        with pytest.raises(DataError, match="nothing"):
            load(folder, source="nothing", input_steps=[4])


class TestFunctions:
    """Of a function nobody knows which option changes what is predicted: its targets say."""

    @staticmethod
    def waves(lags=3, ahead=1, rows=30, noise=0.0):
        wave = np.sin(np.arange(200) / 7)

        def part(start):
            rows_of = np.arange(start, start + rows)[:, None] + np.arange(lags) - lags
            inputs = wave[rows_of][..., None] + noise
            values = np.zeros((rows, lags, 1))
            values[:, -1, 0] = wave[np.arange(start, start + rows) + ahead]
            mask = np.arange(lags) == lags - 1
            return {"inputs": inputs, "targets": values, "target_mask": np.tile(mask, (rows, 1))}

        parts = {"train": part(20), "validation": part(80), "test": part(140)}
        return {"task": "regression", **parts}

    def load(self, folder, **dimensions):
        return load(folder, self.waves, "own.py:waves", {}, **dimensions)

    def test_an_option_that_changes_inputs_can_be_searched(self, folder):
        choices = self.load(folder, lags=[3, 6], noise=[0.0, 0.5])
        assert len(choices.by_key) == 4

    @pytest.mark.parametrize(
        ("option", "values", "message"),
        [
            ("ahead", [1, 2], r"data\.ahead can't be searched.*in the validation part targets di"),
            ("rows", [30, 31], "30 or 31 sequences, and the source does not say which are the sam"),
            ("lag", [3, 6], "'own.py:waves' has no option 'lag'; did you mean 'lags'"),
        ],
    )
    def test_one_that_changes_targets_is_named(self, folder, option, values, message):
        with pytest.raises(DataError, match=message):
            self.load(folder, **{option: values})

    def test_the_guilty_one_of_two_is_named(self, folder):
        with pytest.raises(DataError, match=r"^data\.ahead can't be searched"):
            self.load(folder, ahead=[1, 2], lags=[3, 6])


def test_labelled_texts_search_their_vocabulary_and_length(tmp_path):
    rng = np.random.default_rng(1)
    words = ["good", "bad", "the", "film", "was", "a", "plot"]
    texts = [" ".join(rng.choice(words, size=rng.integers(3, 9))) for _ in range(80)]
    lines = [f"{text}\t{'yes' if 'good' in text else 'no'}" for text in texts]
    (tmp_path / "a.txt").write_text("\n".join(lines))
    choices = load(
        tmp_path, source="tokens", options={"path": "a.txt"},
        max_words=[3, None], max_length=[4, 8], class_weights=["none", "balanced"],
    )  # fmt: skip
    assert len(choices.by_key) == 8
    assert {d.vocabulary_size for d in choices.by_key.values()} == {5, 9}
    assert not choices.have_one_loss
    with pytest.raises(DataError, match=r"data\.label_column can't be searched"):
        load(tmp_path, source="tokens", options={"path": "a.txt"}, label_column=["a", "b"])


def test_tables_search_their_columns(tmp_path):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"id": np.repeat(range(20), 5), "x": rng.normal(size=100)})
    frame["y"], frame["kind"] = rng.normal(size=100), np.where(frame["id"] % 2, "a", "b")
    frame.to_csv(tmp_path / "t.csv", index=False)
    options = {
        "path": "t.csv", "sequence": "id", "target": "kind", "task": "classification",
        "alignment": "one_label",
    }  # fmt: skip
    choices = load(tmp_path, source="table", options=options, inputs=["x", ["x", "y"]])
    assert [data.input_size for data in choices.by_key.values()] == [1, 2]


def test_a_single_data_set_is_one_choice(folder):
    data = load_data("csv", CSV, base_dir=folder)
    assert DataChoices.single(data).of("") is data


class TestReading:
    """Files are read once, however many choices there are."""

    @pytest.fixture
    def reads(self, monkeypatch):
        """The files in the order in which they were read."""
        found = []

        def counted(path, *args, **kwargs):
            found.append(path.name)
            return read_table(path, *args, **kwargs)

        monkeypatch.setattr("trainers.data.tables.reader.read_table", counted)
        return found

    def test_a_file_is_read_once_for_all_choices(self, folder, reads):
        choices = load(folder, input_steps=[4, 8], scaling=["standard", "minmax", "none"])
        assert len(choices.by_key) == 6
        assert reads == ["load.csv"]

    def test_each_choice_is_what_it_is_alone(self, folder):
        choices = load(folder, input_steps=[4, 8], scaling=["standard", "none"])
        for key, data in choices.by_key.items():
            alone = load_data("csv", {**CSV, **json.loads(key)}, base_dir=folder)
            assert np.array_equal(np.asarray(data.train.inputs), np.asarray(alone.train.inputs))

    def test_two_files_are_each_read_once(self, folder, reads):
        frame = pd.read_csv(folder / "load.csv")
        frame.to_csv(folder / "late.csv", index=False)
        options = {**CSV, "test_path": "late.csv", "split": [0.7, 0.3]}
        load(folder, options=options, input_steps=[4, 8])
        assert reads == ["load.csv", "late.csv"]

    def test_a_later_call_reads_again(self, folder, reads):
        load(folder, input_steps=[4, 8])
        load(folder, input_steps=[4, 8])
        assert reads == ["load.csv", "load.csv"]

    def test_rows_are_limited_for_all_choices(self, folder, reads):
        choices = load(folder, input_steps=[4, 8], limit=Limit(first=60))
        for data in choices.by_key.values():
            assert "data.limit: the first 60 rows of load.csv are read" in data.notes
        assert reads == ["load.csv"]

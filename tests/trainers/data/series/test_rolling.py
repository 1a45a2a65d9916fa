"""Rolling origins, row by row: what each fold learns from and what it is judged by."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from trainers.data import load_data, load_folds
from trainers.data.folds import Folds
from trainers.errors import DataError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Forty rows, an hour apart; the target is the row's number."""
    rows = np.arange(40)
    times = pd.date_range("2024-01-01", periods=40, freq="h").strftime("%Y-%m-%d %H:%M")
    pd.DataFrame({"time": times, "y": rows * 1.0}).to_csv(tmp_path / "forty.csv", index=False)
    return tmp_path


def load(folder, folds, **options):
    values = {"path": "forty.csv", "target": "y", "inputs": ["y"], "input_steps": 2}
    values |= {"split": [0.5, 0.2, 0.3], **options}
    return load_folds("csv", values, folds, base_dir=folder)


def rows_of(part):
    return None if part is None else np.asarray(part.origins).tolist()


def spans(found):
    """First and last target row of train and validation, by fold."""
    parts = [(rows_of(one.train), rows_of(one.validation)) for one in found]
    return [((t[0], t[-1]), (v[0], v[-1])) for t, v in parts]


def test_origins_lie_at_even_steps_before_the_test_part(folder):
    found = load(folder, Folds(3))  # 28 rows before the test part: origins at 7, 14 and 21
    assert spans(found) == [((2, 6), (7, 13)), ((2, 13), (14, 20)), ((2, 20), (21, 27))]
    assert all(
        rows_of(one.train) == list(range(2, stop))
        for one, stop in zip(found, (7, 14, 21), strict=True)
    )
    assert [rows_of(one.test) for one in found] == [None, None, list(range(28, 40))]


def test_the_test_part_is_as_without_folds(folder):
    whole = load_data(
        "csv",
        {
            "path": "forty.csv",
            "target": "y",
            "inputs": ["y"],
            "input_steps": 2,
            "split": [0.5, 0.2, 0.3],
        },
        base_dir=folder,
    )
    assert rows_of(load(folder, Folds(4))[-1].test) == rows_of(whole.test)


def test_inputs_to_be_judged_by_reach_back_and_those_to_learn_from_do_not_reach_ahead(folder):
    second = load(folder, Folds(3))[1]
    raw = np.asarray(second.validation.inputs)[..., 0] * second.input_scale + second.input_shift
    assert raw[0].round().tolist() == [12, 13]
    learned = np.asarray(second.train.inputs)[..., 0] * second.input_scale + second.input_shift
    assert learned.max().round() == 12  # the newest input of the window whose target is row 13


def test_a_sliding_window_is_as_long_as_what_lies_before_the_first_origin(folder):
    found = load(folder, Folds(3, "sliding"))
    assert spans(found) == [((2, 6), (7, 13)), ((9, 13), (14, 20)), ((16, 20), (21, 27))]


def test_the_first_origin_can_come_later(folder):
    found = load(folder, Folds(3, first=0.5))  # 14 rows, then stretches of 14/3
    assert spans(found) == [((2, 13), (14, 17)), ((2, 17), (18, 22)), ((2, 22), (23, 27))]
    found = load(folder, Folds(2, "sliding", first=0.5))
    assert spans(found) == [((2, 13), (14, 20)), ((9, 20), (21, 27))]


def test_an_embargo_lies_between_learning_and_judging(folder):
    found = load(folder, Folds(3), embargo=2)
    assert spans(found) == [((2, 6), (9, 13)), ((2, 13), (16, 20)), ((2, 20), (23, 27))]
    assert rows_of(found[-1].test) == list(range(30, 40))


def test_windows_of_several_steps_stay_in_their_stretch(folder):
    found = load(folder, Folds(3), output_steps=3, steps_ahead=2)
    assert spans(found) == [((3, 4), (7, 11)), ((3, 11), (14, 18)), ((3, 18), (21, 25))]


def test_each_fold_is_scaled_by_its_own_training_rows(folder):
    found = load(folder, Folds(3))
    for one, rows in zip(found, (7, 14, 21), strict=True):
        own = np.arange(rows)
        assert one.target_shift == pytest.approx([own.mean()])
        assert one.target_scale == pytest.approx([own.std()])
        assert one.input_shift == pytest.approx([own.mean()])
    slid = load(folder, Folds(3, "sliding"))
    assert [one.target_shift[0] for one in slid] == [3, 10, 17]


def test_each_fold_knows_the_names_of_its_own_training_rows(folder):
    frame = pd.read_csv(folder / "forty.csv").assign(kind=[f"k{n // 6}" for n in range(40)])
    frame.to_csv(folder / "forty.csv", index=False)
    more = {"inputs": ["y", "kind"], "categories": ["kind"], "category_encoding": "embedding"}
    found = load(folder, Folds(3), **more)
    assert [one.categories[0].values for one in found] == [
        ("k0", "k1"), ("k0", "k1", "k2"), ("k0", "k1", "k2", "k3")
    ]  # fmt: skip


def test_dates_divide_evenly_in_time(folder):
    """Rows are missing in the first half: the origins are even in hours, not in rows."""
    frame = pd.read_csv(folder / "forty.csv")
    frame = frame[(frame.index >= 16) | (frame.index % 2 == 0)]
    frame.to_csv(folder / "gaps.csv", index=False)
    dates = {"validation": "2024-01-01 12:00", "test": "2024-01-02 08:00"}  # hours 12 and 32
    options = {"path": "gaps.csv", "time_column": "time", "split": dates}
    found = load(folder, Folds(3), **options)
    hours = [
        [(frame["y"].iloc[rows[0]], frame["y"].iloc[rows[-1]]) for rows in map(rows_of, parts)]
        for parts in ((one.train, one.validation) for one in found)
    ]
    # Hours 0 to 31 in four parts of 31.25 / 4 hours, so from 7.75, 15.5 and 23.25 on.
    assert hours == [[(4, 6), (8, 14)], [(4, 14), (16, 23)], [(4, 23), (24, 31)]]
    slid = load(folder, Folds(3, "sliding"), **options)
    assert [frame["y"].iloc[rows_of(one.train)[-1]] for one in slid] == [6, 14, 23]
    assert [rows_of(one.train)[0] for one in slid] == [2, 6, 10]


def panel(folder):
    frames = [
        pd.DataFrame({"shop": name, "y": np.arange(rows) + start})
        for name, rows, start in (("a", 40, 0.0), ("b", 20, 500.0))
    ]
    pd.concat(frames).to_csv(folder / "panel.csv", index=False)
    return {"path": "panel.csv", "series": ["shop"]}


def test_each_of_several_series_is_divided_in_its_own_rows(folder):
    found = load(folder, Folds(3), **panel(folder))
    # a has 28 rows before its test part, b has 14 (rows 40 to 53).
    assert [rows_of(one.validation) for one in found] == [
        [*range(7, 14), *range(43, 47)],
        [*range(14, 21), *range(47, 50)],
        [*range(21, 28), *range(50, 54)],
    ]
    assert rows_of(found[0].train) == [2, 3, 4, 5, 6, 42]
    assert rows_of(found[1].train) == [*range(2, 14), *range(42, 47)]


def test_scales_of_each_series_are_those_of_its_own_training_rows(folder):
    found = load(folder, Folds(3), **panel(folder), scale_by="series")
    each = [one.reading.scales[0].each for one in found]
    assert [own["a"][1] for own in each] == [3, 6.5, 10]
    assert [own["b"][1] for own in each] == [501, 503, 504.5]


def test_whole_series_are_held_out_in_turn(folder):
    frames = [pd.DataFrame({"shop": f"s{n}", "y": np.arange(8.0) + n}) for n in range(10)]
    pd.concat(frames).to_csv(folder / "shops.csv", index=False)
    options = {
        "path": "shops.csv",
        "series": ["shop"],
        "split_by": "series",
        "split": [0.6, 0.2, 0.2],
    }
    found = load(folder, Folds(4), **options)
    tested = set(np.asarray(found[-1].test.series).tolist())
    judged = [set(np.asarray(one.validation.series).tolist()) for one in found]
    assert [len(own) for own in judged] == [2, 2, 2, 2]
    assert set().union(*judged) | tested == set(range(10))
    for one, own in zip(found, judged, strict=True):
        assert set(np.asarray(one.train.series).tolist()) == set(range(10)) - own - tested


def test_a_test_file_stays_the_test_part(folder):
    frame = pd.read_csv(folder / "forty.csv")
    frame[:32].to_csv(folder / "train.csv", index=False)
    frame[32:].to_csv(folder / "test.csv", index=False)
    options = {"path": "train.csv", "test_path": "test.csv", "split": [0.8, 0.2]}
    found = load(folder, Folds(3), **options, time_column="time")
    assert spans(found) == [((2, 7), (8, 15)), ((2, 15), (16, 23)), ((2, 23), (24, 31))]
    assert rows_of(found[-1].test) == list(range(32, 40))


def test_without_a_test_part_the_last_stretch_ends_with_the_rows(folder):
    found = load(folder, Folds(3), split=[0.7, 0.3, 0.0])
    assert spans(found)[-1] == ((2, 29), (30, 39))
    assert found[-1].test is None


def test_origins_in_the_test_part_learn_from_all_before_them(folder):
    found = load(folder, Folds(3, within="test"), time_column="time")
    assert [rows_of(one.train) for one in found] == [list(range(2, n)) for n in (28, 32, 36)]
    assert [rows_of(one.test) for one in found] == [
        [28, 29, 30, 31], [32, 33, 34, 35], [36, 37, 38, 39]
    ]  # fmt: skip
    newest = [rows_of(one.validation) for one in found]  # of what they learn from
    assert newest == [[24, 25, 26, 27], [28, 29, 30, 31], [32, 33, 34, 35]]
    assert [one.origin for one in found] == [f"2024-01-02 {n:02}:00:00" for n in (4, 8, 12)]


def test_notes_say_which_rows_each_fold_has(folder):
    *_, last = load(folder, Folds(2), time_column="time")
    said = [note for note in last.notes if note.startswith("fold")]
    assert said[1] == (
        "fold 0: learns from rows [0, 9), 2024-01-01 00:00:00 to 2024-01-01 08:00:00; judged by "
        "rows [9, 18), 2024-01-01 09:00:00 to 2024-01-01 17:00:00"
    )


class TestRefused:
    @pytest.mark.parametrize(
        ("folds", "options", "message"),
        [
            (Folds(20), {}, r"fold 0 of 20: the train part has no room for a wi"),
            (Folds(30), {}, r"fold 0 of 30 has none to learn from \(28 rows before the test part"),
            (Folds(3), {"embargo": 9}, r"fold 0 of 3 has none to judge by .* data\.embargo"),
            (Folds(3), {"split": {"column": "part"}}, r"data\.split names the column .* 'part'"),
            (Folds(3, within="test"), {"split": [0.5, 0.5, 0.0]}, "leaves no rows for it"),
            (Folds(13, within="test"), {}, r"origin 0 of 13 has none .* fewer origins \(--origins"),
        ],
    )
    def test_in_one_line(self, folder, folds, options, message):
        frame = pd.read_csv(folder / "forty.csv").assign(part="train")
        frame.to_csv(folder / "forty.csv", index=False)
        with pytest.raises(DataError, match=message) as caught:
            load(folder, folds, **options)
        assert len(str(caught.value)) < 300

    def test_a_fold_is_not_one(self):
        with pytest.raises(DataError, match="at least 2 folds, but got 1"):
            Folds(1)
        with pytest.raises(DataError, match=r"0 < first < 1"):
            Folds(3, first=1.0)

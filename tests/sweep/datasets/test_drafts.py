"""How files are taken: source, options, and why."""

import numpy as np
import pandas as pd
import pytest

from sweep.datasets.draft import Wishes
from sweep.datasets.other_drafts import draft_of
from sweep.errors import ConfigProblem
from tests.sweep.datasets.data_files import (
    cases,
    day_wave,
    hours,
    load_table,
    sentences,
    shops,
    ucr,
    write_csv,
)
from trainers.errors import DataError


def drafted(path, frame=None, **wishes):
    if frame is not None:
        write_csv(path, frame)
    names = ("target", "time", "series")
    split = {k: tuple(v.split(",")) if k in names else v for k, v in wishes.items()}
    return draft_of(path, Wishes(**split))


def options_of(path, frame, **wishes):
    return dict(drafted(path, frame, **wishes).options)


class TestTables:
    @pytest.fixture
    def path(self, tmp_path):
        return tmp_path / "load.csv"

    def test_times_are_found_and_a_day_is_a_window(self, path):
        draft = drafted(path, load_table(), target="load")
        assert (draft.source, draft.kind) == ("csv", "forecasting")
        assert draft.options == {
            "path": str(path), "target": "load", "time_column": "time", "calendar": True,
            "input_steps": 21, "steps_ahead": 1,
        }  # fmt: skip
        assert draft.examples == 210

    def test_a_season_is_the_length_where_there_are_rows_enough(self, path):
        assert options_of(path, load_table(1_000), target="load")["input_steps"] == 24

    def test_ahead_and_several_targets(self, path):
        options = options_of(path, load_table(), target="load,temp", ahead=6)
        assert (options["target"], options["steps_ahead"]) == (["load", "temp"], 6)

    def test_the_only_column_of_numbers_is_the_target(self, path):
        draft = drafted(path, load_table()[["time", "load"]])
        assert draft.options["target"] == "load"
        assert "only column of numbers" in draft.why["target"]

    def test_columns_are_listed_where_a_target_must_be_named(self, path):
        with pytest.raises(
            ConfigProblem, match=r"--target.*load\.csv has: time \(text\), load, te"
        ):
            drafted(path, load_table())

    @pytest.mark.parametrize("flag", ["target", "time", "series"])
    def test_a_misspelt_column_names_the_nearest(self, path, flag):
        with pytest.raises(
            ConfigProblem, match=rf"--{flag} must name a column.*did you mean 'load'"
        ):
            drafted(path, load_table(), **{"target": "load", flag: "lod"})

    def test_date_and_time_of_day_are_joined(self, path):
        times = hours()
        frame = pd.DataFrame({"date": times.date, "clock": times.strftime("%H:%M")})
        options = options_of(path, frame.assign(load=day_wave()), target="load")
        assert options["time_column"] == ["date", "clock"]

    def test_rows_newest_first_are_sorted(self, path):
        options = options_of(path, load_table()[::-1], target="load")
        assert options["sort"] is True
        assert "sort" not in options_of(path, load_table(), target="load")

    def test_missing_values_are_gaps(self, path):
        frame = load_table()
        frame.loc[7, "temp"] = np.nan
        assert options_of(path, frame, target="load")["missing"] == "mask"
        assert "missing" not in options_of(path, load_table(), target="load")

    def test_columns_that_say_nothing_or_count_are_left_out(self, path):
        frame = load_table(one=1, word="x", number=range(300))
        draft = drafted(path, frame, target="load")
        assert draft.options["drop"] == ["one", "word", "number"]
        assert draft.why["drop"] == (
            "one is always the same; word is always the same; number only counts"
        )

    def test_irregular_steps_are_an_input(self, path):
        gaps = pd.to_timedelta(np.random.default_rng(0).exponential(240, 300).cumsum(), unit="s")
        frame = load_table().assign(time=pd.Timestamp("2021-01-01") + gaps)
        assert options_of(path, frame, target="load")["elapsed"] is True

    def test_counts_of_seconds_need_their_unit(self, path):
        frame = load_table().rename(columns={"time": "timestamp"})
        frame["timestamp"] = [int(time.timestamp()) for time in frame["timestamp"]]
        options = options_of(path, frame, target="load")
        assert (options["time_column"], options["time_unit"]) == ("timestamp", "s")

    def test_dates_that_can_be_read_two_ways_are_refused(self, path):
        days = [f"{1 + n % 12:02d}/{1 + n % 11:02d}/2021" for n in range(40)]
        with pytest.raises(DataError, match="time_format"):
            drafted(path, load_table(40).assign(time=days), target="load")
        frame = load_table(12).assign(time=[f"{n:02d}/01/2021" for n in range(1, 13)])
        options = options_of(path, frame, target="load", options={"time_format": "%d/%m/%Y"})
        assert options["time_format"] == "%d/%m/%Y"

    def test_null_for_the_time_column_takes_rows_as_they_come(self, path):
        options = options_of(path, load_table(), target="load", options={"time_column": None})
        assert options["time_column"] is None
        assert "calendar" not in options

    def test_what_is_set_goes_before_what_is_found(self, path):
        options = options_of(path, load_table(), target="load", options={"input_steps": 7})
        assert options["input_steps"] == 7

    def test_labels_of_rows_are_windows_of_classes(self, path):
        frame = load_table(fail=[0, 1, 1] * 100)
        draft = drafted(path, frame, target="fail", task="classification")
        assert (draft.kind, draft.options["steps_ahead"]) == ("windows", 0)

    def test_shops_are_series(self, path):
        draft = drafted(path, shops(), target="load", series="shop")
        assert draft.options["series"] == "shop"
        assert draft.options["input_steps"] == 8  # a tenth of 84 training rows of a shop
        assert draft.kind == "forecasting"

    def test_one_label_for_each_sequence_is_the_source_of_whole_sequences(self, path):
        frame = shops().assign(kind=lambda f: f["shop"].map({"A": "x", "B": "y", "C": "x"}))
        draft = drafted(path, frame, target="kind", series="shop")
        assert draft.source == "table"
        options = draft.options
        assert (options["sequence"], options["order"]) == ("shop", "time")
        assert (options["task"], options["alignment"]) == ("classification", "one_label")

    def test_few_whole_numbers_as_labels_of_sequences_need_the_task(self, path):
        frame = shops().assign(ill=lambda f: (f["shop"] == "B").astype(int))
        with pytest.raises(ConfigProblem, match=r"2 whole numbers \(0, 1 …\): say --task"):
            drafted(path, frame, target="ill", series="shop")
        draft = drafted(path, frame, target="ill", series="shop", task="classification")
        assert draft.options["task"] == "classification"

    def test_a_name_may_have_a_comma(self, path):
        frame = load_table().rename(columns={"load": "load, net"})
        assert options_of(path, frame, target="load,net")["target"] == "load, net"

    def test_a_row_a_series_is_wide(self, path):
        days = [f"d_{n}" for n in range(1, 61)]
        frame = pd.DataFrame(np.tile(day_wave(60), (9, 1)), columns=days)
        frame.insert(0, "item", [f"item {n}" for n in range(9)])
        draft = drafted(path, frame, target="sales")
        assert draft.options == {
            "path": str(path), "wide": "d_*", "series": "item", "target": "sales",
            "input_steps": 4, "steps_ahead": 1,
        }  # fmt: skip

    def test_a_row_a_labelled_sequence(self, path):
        steps = pd.DataFrame(np.random.default_rng(0).normal(size=(30, 20)))
        frame = steps.add_prefix("t").assign(label=["a", "b", "c"] * 10)
        draft = drafted(path, frame, target="label")
        assert draft.source == "sequences"
        assert draft.options["steps"] == ["t*"]
        assert draft.options["target"] == "label"

    def test_long_tables_take_strides(self, path, monkeypatch):
        monkeypatch.setattr("sweep.datasets.window_draft._MOST_WINDOWS", 50)
        assert options_of(path, load_table(), target="load")["stride"] == 5

    def test_a_column_of_texts_and_their_labels(self, path):
        rows = [line.split("\t") for line in sentences().splitlines()]
        frame = pd.DataFrame(rows, columns=["review", "label"])
        draft = drafted(path, frame, target="label")
        assert (draft.source, draft.kind) == ("tokens", "sentences")
        assert draft.options["text_column"] == "review"
        assert draft.options["label_column"] == "label"


class TestOthers:
    def test_a_text(self, tmp_path):
        path = tmp_path / "input.txt"
        path.write_text("To be, or not to be: that is the question.\n" * 30)
        draft = drafted(path)
        assert (draft.source, draft.kind) == ("text", "language")

    @pytest.mark.parametrize("first", [False, True])
    def test_lines_of_texts_and_labels(self, tmp_path, first):
        lines = [line.split("\t") for line in sentences().splitlines()]
        path = tmp_path / "reviews.txt"
        path.write_text("".join("\t".join(row[::-1] if first else row) + "\n" for row in lines))
        draft = drafted(path)
        assert draft.source == "tokens"
        assert draft.options.get("label_first", False) is first
        assert draft.options["max_length"] >= 8
        assert draft.examples == 48

    @pytest.mark.parametrize(("name", "text"), [("Toy_TRAIN.ts", cases()), ("E_TRAIN.tsv", ucr())])
    def test_cases_of_the_field_and_the_test_file_beside_them(self, tmp_path, name, text):
        path = tmp_path / name
        path.write_text(text)
        assert drafted(path).options == {"path": str(path)}
        beside = tmp_path / name.replace("TRAIN", "TEST")
        beside.write_text(text)
        draft = drafted(path)
        assert draft.options["test_path"] == str(beside)
        assert (draft.source, draft.kind) == ("sequences", "classification")

    def test_gaps_of_cases_are_gaps(self, tmp_path):
        path = tmp_path / "Toy_TRAIN.ts"
        path.write_text(cases() + "1,?,3:1,2,3:a\n")
        assert drafted(path).options["missing"] == "mask"

    @pytest.mark.parametrize(("one", "alignment"), [(True, "one_label"), (False, "equal")])
    def test_a_folder_of_tables_is_a_sequence_each(self, tmp_path, one, alignment):
        for number in range(6):
            label = ["a", "b"][number % 2] if one else ["a", "b"] * 15
            write_csv(tmp_path / f"r{number}.csv", load_table(30, phase=label))
        draft = drafted(tmp_path, target="phase")
        assert draft.source == "table"
        assert draft.options["folder"] == str(tmp_path)
        assert draft.options["order"] == "time"
        assert (draft.options["task"], draft.options["alignment"]) == ("classification", alignment)

    def test_tables_of_other_columns_are_no_sequences(self, tmp_path):
        write_csv(tmp_path / "a.csv")
        write_csv(tmp_path / "b.csv", load_table(more=1))
        with pytest.raises(
            ConfigProblem, match=r"equal columns.*b\.csv has time, load, temp, more"
        ):
            drafted(tmp_path, target="load")


class TestFoldersOfTexts:
    def test_what_only_tells_of_the_data_is_left_out(self, tmp_path):
        (tmp_path / "README.md").write_text("What these sentences are.\n")
        for name in ("amazon.txt", "yelp.txt"):
            (tmp_path / name).write_text(sentences())
        draft = drafted(tmp_path)
        assert draft.source == "tokens"
        assert draft.options["path"] == str(tmp_path / "*.txt")

    def test_running_texts_are_one_stream(self, tmp_path):
        (tmp_path / "LICENSE").write_text("Free.\n")
        for name in ("one.txt", "two.txt"):
            (tmp_path / name).write_text("To be, or not to be, that is the question.\n" * 9)
        draft = drafted(tmp_path)
        assert (draft.source, draft.options["path"]) == ("text", str(tmp_path / "*.txt"))

    def test_labelled_lines_beside_others_are_asked_about(self, tmp_path):
        (tmp_path / "labelled.txt").write_text(sentences())
        (tmp_path / "book.txt").write_text("To be, or not to be, that is the question.\n" * 9)
        with pytest.raises(ConfigProblem, match=r"labelled.txt is and book.txt is not; name a"):
            drafted(tmp_path)

    def test_a_note_that_no_pattern_leaves_out_is_asked_about(self, tmp_path):
        (tmp_path / "readme.txt").write_text("What these sentences are.\n")
        (tmp_path / "yelp.txt").write_text(sentences())
        with pytest.raises(ConfigProblem, match=r"holds readme.txt beside yelp.txt"):
            drafted(tmp_path)


def test_a_text_whose_lines_have_one_tab_may_be_pairs_and_is_said_to(tmp_path):
    path = tmp_path / "dates.txt"
    path.write_text("".join(f"{a}{b}{b}\t{b}{b}{a}\n" for a in "abcd" for b in "efgh"))
    draft = drafted(path)
    assert draft.source == "text"
    assert "source: pairs" in draft.why["level"]
    path.write_text("to be or not to be\n" * 40)
    assert "pairs" not in drafted(path).why["level"]

"""What `rnn-sweep data` understands, as plain values."""

import csv
import io
import json

import numpy as np
import pytest

from sweep.datasets.document import document_of
from sweep.datasets.draft import Wishes
from sweep.datasets.inspection import inspect_file, inspect_spec, is_spec
from sweep.datasets.membership import as_csv, runs_of
from sweep.datasets.picture import render_page
from tests.sweep.datasets.data_files import cases, load_table, sentences, shops, write_csv
from trainers.errors import DataError

KEYS = {
    "name", "source", "options", "refused", "reading", "rows", "columns", "step", "series", "task",
    "inputs", "targets", "units", "classes", "parts", "ranges", "findings", "notes", "digest",
}  # fmt: skip


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def looked_at(path, **wishes):
    return inspect_file(path, Wishes(**wishes))


def test_a_table_with_its_target(tmp_path):
    found = looked_at(write_csv(tmp_path / "load.csv"), target=("load",))
    document = document_of(found)
    assert set(document) == KEYS
    assert (document["task"], document["rows"], document["series"]) == ("regression", 300, 1)
    assert document["step"]["text"] == "1 h"
    assert [column["name"] for column in document["columns"]] == ["time", "load", "temp"]
    assert document["columns"][1]["low"] == pytest.approx(load_table()["load"].min())
    assert document["parts"]["test"] == {
        "sequences": 45, "steps": 21, "first": "2021-01-11 15:00:00", "last": "2021-01-13 11:00:00",
    }  # fmt: skip
    assert {row["name"] for row in document["ranges"]} == {"load", "temp"}
    assert document["findings"] == []
    json.dumps(document, allow_nan=False)


def test_a_table_without_a_target_shows_its_columns_and_what_is_wrong_with_them(tmp_path):
    frame = load_table(one=1)
    frame.loc[3:9, "temp"] = -9999
    document = document_of(looked_at(write_csv(tmp_path / "load.csv", frame)))
    assert "--target" in document["refused"]
    assert [(f["kind"], f["grade"]) for f in document["findings"]] == [
        ("sentinel", "wrong"), ("time", "doubtful"), ("constant", "doubtful"),
    ]  # fmt: skip
    assert (document["parts"], document["digest"]) == ({}, None)


def test_wrong_findings_are_shown_not_refused(tmp_path):
    frame = load_table(next=load_table()["load"].shift(-1).fillna(50))
    document = document_of(looked_at(write_csv(tmp_path / "load.csv", frame), target=("load",)))
    assert document["refused"] is None
    assert document["findings"][0]["kind"] == "leak"


def test_what_can_not_be_loaded_says_why(tmp_path):
    path = write_csv(tmp_path / "load.csv", load_table(fail=[0, 1] * 150))
    document = document_of(looked_at(path, target=("fail",)))
    assert "data.task" in document["refused"]


def test_a_file_that_is_no_table_is_an_error(tmp_path):
    path = tmp_path / "load.parquet"
    path.write_bytes(b"no parquet")
    with pytest.raises(DataError, match="can't be read"):
        looked_at(path)


def test_a_sweep_file_and_a_preset(tmp_path):
    write_csv(tmp_path / "load.csv")
    spec = tmp_path / "s.yaml"
    spec.write_text("data: {source: csv, path: load.csv, target: load, time_column: time}")
    assert is_spec(str(spec))
    document = document_of(inspect_spec(str(spec), ["data.input_steps=6"]))
    assert (document["name"], document["parts"]["train"]["steps"]) == ("s", 6)
    assert is_spec("digits")
    assert not is_spec("load.csv")
    digits = document_of(inspect_spec("digits", []))
    assert digits["classes"]["0"] > 50
    assert digits["columns"] == []


class TestParts:
    def rows(self, found):
        return list(csv.DictReader(io.StringIO(as_csv(found))))

    def test_windows_are_ranges_of_target_rows(self, tmp_path):
        path = write_csv(tmp_path / "load.csv", load_table().drop(columns="time"))
        found = looked_at(path, target=("load",), options={"input_steps": 10})
        assert self.rows(found) == [
            {"part": "train", "series": "", "first": "10", "last": "209", "sequences": "200"},
            {"part": "validation", "series": "", "first": "210", "last": "254", "sequences": "45"},
            {"part": "test", "series": "", "first": "255", "last": "299", "sequences": "45"},
        ]

    def test_the_last_of_several_target_rows_counts(self, tmp_path):
        path = write_csv(tmp_path / "load.csv", load_table().drop(columns="time"))
        options = {"input_steps": 10, "output_steps": 3, "stride": 3}
        found = looked_at(path, target=("load",), options=options)
        first = self.rows(found)[0]
        assert (first["first"], first["last"], first["sequences"]) == ("12", "209", "66")

    def test_each_series_has_its_own(self, tmp_path):
        path = write_csv(tmp_path / "shops.csv", shops())
        found = looked_at(path, target=("load",), series=("shop",))
        rows = self.rows(found)
        assert [row["series"] for row in rows] == ["A", "B", "C"] * 3
        assert rows[0]["last"] == "2021-01-04 11:00:00"

    def test_gaps_part_windows(self, tmp_path):
        frame = load_table().drop(columns=["time", "temp"])
        frame.loc[100:101, "load"] = np.nan
        path = write_csv(tmp_path / "load.csv", frame)
        found = looked_at(path, target=("load",), options={"input_steps": 10})
        train = [row for row in self.rows(found) if row["part"] == "train"]
        assert [(row["first"], row["last"]) for row in train] == [("10", "99"), ("102", "209")]

    def test_whole_sequences_go_by_their_names(self, tmp_path):
        (tmp_path / "Toy.ts").write_text(cases())
        rows = self.rows(looked_at(tmp_path / "Toy.ts"))
        assert sorted(row["series"] for row in rows) == sorted(f"line {n}" for n in range(4, 24))
        for number in range(8):
            write_csv(tmp_path / f"r{number}.csv", load_table(9, phase=["a", "b"][number % 2]))
        (tmp_path / "Toy.ts").unlink()
        found = looked_at(tmp_path, target=("phase",))
        assert {run.series for run in runs_of(found)} == {f"r{number}" for number in range(8)}

    def test_others_are_counted(self, tmp_path):
        (tmp_path / "reviews.txt").write_text(sentences())
        rows = self.rows(looked_at(tmp_path / "reviews.txt"))
        assert [(row["part"], row["sequences"]) for row in rows] == [
            ("train", "48"), ("validation", "6"), ("test", "6"),
        ]  # fmt: skip


class TestPage:
    def test_a_page_holds_the_series_its_parts_and_the_findings(self, tmp_path):
        frame = load_table(next=load_table()["load"].shift(-1).fillna(50))
        page = render_page(looked_at(write_csv(tmp_path / "<load>.csv", frame), target=("load",)))
        assert "&lt;load&gt;.csv" in page
        assert "<load>" not in page
        assert "wrong: input &#x27;next&#x27; is the target" in page
        charts = page.partition('id="charts">')[2].partition("</script>")[0]
        lines = json.loads(charts)["series"]["datasets"]["lines"]
        assert {line["part"] for line in lines} == {"none", "train", "validation", "test"}
        assert sum(line["part"] == "test" for line in lines) == 45
        assert "http://" not in page.replace("http://www.w3.org", "")

    def test_series_are_drawn_one_below_the_other(self, tmp_path):
        path = write_csv(tmp_path / "shops.csv", shops())
        page = render_page(looked_at(path, target=("load",), series=("shop",)))
        charts = page.partition('id="charts">')[2].partition("</script>")[0]
        lines = json.loads(charts)["series"]["datasets"]["lines"]
        assert {line["series"] for line in lines} == {"A", "B", "C"}

    def test_long_series_are_thinned_to_their_extremes(self, tmp_path):
        frame = load_table(5_000)
        frame.loc[2_345, "load"] = 500.0
        page = render_page(looked_at(write_csv(tmp_path / "l.csv", frame), target=("load",)))
        lines = json.loads(page.partition('id="charts">')[2].partition("</script>")[0])
        drawn = lines["series"]["datasets"]["lines"]
        assert len(drawn) <= 1_000
        assert max(line["y"] for line in drawn) == 500

    @pytest.mark.parametrize(("name", "text"), [("Toy.ts", cases()), ("reviews.txt", sentences())])
    def test_sequences_and_texts_have_a_page_too(self, tmp_path, name, text):
        (tmp_path / name).write_text(text)
        page = render_page(looked_at(tmp_path / name))
        assert "Nothing is suspicious" in page or "What to look at" in page

    def test_what_can_not_be_loaded_has_a_page_that_says_why(self, tmp_path):
        assert "not usable as it is" in render_page(looked_at(write_csv(tmp_path / "load.csv")))

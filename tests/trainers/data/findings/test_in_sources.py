"""Every source that reads numbers has its findings; wrong ones keep data from being loaded."""

import numpy as np
import pandas as pd
import pytest

from tests.trainers.data.findings.finding_tables import names_of, temperatures
from trainers.data import load_data
from trainers.errors import DataError


def series(**more):
    hours = pd.date_range("2021-01-01", periods=400, freq="h")
    frame = pd.DataFrame({"time": hours, "y": temperatures(), "x": temperatures(seed=1)})
    return frame.assign(**more)


def windows(folder, frame, accept=(), **options):
    frame.to_csv(folder / "a.csv", index=False)
    usual = {"path": "a.csv", "target": "y", "time_column": "time", "input_steps": 6}
    return load_data("csv", {**usual, **options}, base_dir=folder, accept=accept)


def test_windows_are_refused_by_row_and_accepted_by_kind(tmp_path):
    frame = series()
    frame.loc[[9, 10, 50], "x"] = -9999
    with pytest.raises(DataError, match=r"'x' holds -9999 3 times, first in row 2021-01-01 09:00"):
        windows(tmp_path, frame)
    data = windows(tmp_path, frame, accept=("sentinel",))
    assert ("sentinel", "wrong") in names_of(data.findings)
    mended = {"reading": {"missing_values": ["-9999"]}, "missing": "mask"}
    data = windows(tmp_path, frame, **mended)
    assert ("sentinel", "wrong") not in names_of(data.findings)


def test_accepting_changes_no_digest(tmp_path):
    frame = series()
    frame.loc[9:11, "x"] = -9999
    kinds = [("sentinel",), ("sentinel", "leak")]
    first, second = (windows(tmp_path, frame, accept=accept).digest for accept in kinds)
    assert first == second


def test_what_is_dropped_or_no_input_is_not_judged(tmp_path):
    frame = series(next=lambda f: f["y"].shift(-1).fillna(0))
    with pytest.raises(DataError, match="'next' is the target 'y' of 1 row later"):
        windows(tmp_path, frame)
    assert "leak" not in dict(names_of(windows(tmp_path, frame, drop=["next"]).findings))
    assert "leak" not in dict(names_of(windows(tmp_path, frame, inputs=["y", "x"]).findings))


def test_shops_run_into_one_another_are_refused(tmp_path):
    frame = pd.concat([series(shop="A"), series(shop="B")])
    with pytest.raises(DataError, match=r"these are several series, set data\.series: shop"):
        windows(tmp_path, frame, time_column=None)
    data = windows(tmp_path, frame, series="shop")
    assert data.series == ("A", "B")


def test_rows_that_are_sorted_are_judged_in_order(tmp_path):
    frame = series(next=lambda f: f["y"].shift(-1).fillna(0))
    shuffled = frame.sample(frac=1, random_state=0)
    with pytest.raises(DataError, match="leak"):
        windows(tmp_path, shuffled, sort=True)


def walks(**more):
    rows = [(walker, step) for walker in range(20) for step in range(8)]
    frame = pd.DataFrame(rows, columns=["walker", "frame"])
    frame["x"] = np.random.default_rng(0).normal(size=len(frame))
    return frame.assign(kind=np.where(frame["walker"] % 2, "a", "b"), **more)


def test_tables_of_sequences_have_findings_and_names(tmp_path):
    options = {
        "path": "w.csv", "sequence": "walker", "order": "frame", "target": "kind",
        "task": "classification", "alignment": "one_label",
    }  # fmt: skip
    walks(one=3).to_csv(tmp_path / "w.csv", index=False)
    data = load_data("table", options, base_dir=tmp_path)
    assert ("constant", "doubtful") in names_of(data.findings)
    names = [name for part in data.ids.values() for name in part]
    assert sorted(names, key=int) == [str(walker) for walker in range(20)]
    frame = walks()
    frame.loc[[3, 77, 90], "x"] = -999
    frame.to_csv(tmp_path / "w.csv", index=False)
    with pytest.raises(DataError, match=r"'x' holds -999 3 times.*data\.reading\.missing_values"):
        load_data("table", options, base_dir=tmp_path)


def test_cases_say_what_stands_for_missing_in_their_files(tmp_path):
    cases = [
        f"{','.join(f'{v:.2f}' for v in temperatures(9, seed=n))}:{'ab'[n % 2]}" for n in range(30)
    ]
    text = "@classLabel true a b\n@data\n" + "\n".join(cases)
    (tmp_path / "Toy.ts").write_text(text)
    data = load_data("sequences", {"path": "Toy.ts"}, base_dir=tmp_path)
    assert data.findings == ()
    assert data.ids["train"][0].startswith("line ")
    (tmp_path / "Toy.ts").write_text(text + "\n1,-9999,2,-9999,-9999:a")
    with pytest.raises(DataError, match=r"'value' holds -9999 3 times.*write \? in its place and"):
        load_data("sequences", {"path": "Toy.ts"}, base_dir=tmp_path)


def test_a_limit_keeps_the_names_of_what_is_left(tmp_path):
    cases = [f"1,2,{n % 5}:{'ab'[n % 2]}" for n in range(40)]
    (tmp_path / "Toy.ts").write_text("@classLabel true a b\n@data\n" + "\n".join(cases))
    data = load_data("sequences", {"path": "Toy.ts"}, base_dir=tmp_path, limit=3)
    assert {part: len(names) for part, names in data.ids.items()} == {
        "train": 3, "validation": 3, "test": 3,
    }  # fmt: skip

"""Every column of results keeps the laws of columns; one more is one entry."""

import dataclasses
import json
import os
import subprocess
import sys

import pytest

from sweep.log.event import Event
from sweep.log.kinds import DataFacts, Evaluated, Failed
from sweep.results.column import Column, Family
from sweep.results.columns import COLUMNS, columns_of, shown_in
from sweep.results.conformance import check_entry
from sweep.results.results import open_results
from sweep.results.units import metric_unit
from tests.sweep.events_factory import some
from tests.sweep.sweep_factory import asked, complete, write_sweep

OBJECTIVES = [
    {"metric": "rmse", "direction": "minimize"},
    {"metric": "parameters", "direction": "minimize"},
]
DATA = DataFacts("load", "regression", "abc", units="Wh")


def sweep(tmp_path, objectives=OBJECTIVES[:1], data=DATA):
    folder = write_sweep(
        tmp_path,
        *complete(0, {"cell": "gru", "k": None}, 0.5),
        *complete(1, {"cell": "lstm"}, 0.3),
        asked(2, cell="gru"),
        Event(some(Failed, reason="error", message="two\nlines"), 2, 0, 0),
        Event(Evaluated({"rmse": 0.35, "mae": 0.2}), 1),
        facts=data,
        objectives=objectives,
        search={"objectives": objectives},
    )
    return open_results(folder)


@pytest.mark.parametrize("name", COLUMNS)
@pytest.mark.parametrize("objectives", [OBJECTIVES[:1], OBJECTIVES], ids=["one", "several"])
def test_every_column_keeps_the_laws(tmp_path, name, objectives):
    assert COLUMNS[name].name == name
    check_entry(COLUMNS[name], sweep(tmp_path, objectives))


GOOD = Column("speed", "epochs a second", lambda results, t: 1.5, "1/s")


@pytest.mark.parametrize(
    ("broken", "law"),
    [
        ({"about": " "}, "sentence"),
        ({"name": "my speed"}, "key"),
        ({"unit": "a very long unit"}, "one short word"),
        ({"shown": frozenset({"everywhere"})}, "shown in"),
        ({"read": lambda results, t: object()}, "the same twice"),
        ({"read": lambda results, t: float("nan")}, "JSON knows"),
        ({"read": lambda results, t: (1, 2)}, "JSON knows"),
        ({"header": "two\nlines"}, "one line"),
    ],
)
def test_a_column_that_breaks_a_law_is_named_with_it(tmp_path, broken, law):
    check_entry(GOOD, sweep(tmp_path))
    with pytest.raises(AssertionError, match=law):
        check_entry(dataclasses.replace(GOOD, **broken), sweep(tmp_path / "again"))


def test_members_of_a_family_bear_its_name(tmp_path):
    with pytest.raises(AssertionError, match=r"NAME\.member"):
        check_entry(Family("mine", "what is mine", lambda results: [GOOD]), sweep(tmp_path))


def test_errors_are_in_the_targets_unit_and_headings_name_it(tmp_path):
    results = sweep(tmp_path)
    titles = [column.title() for column in shown_in("report", results)]
    assert titles[:3] == ["trial", "rmse (Wh)", "test rmse (Wh)"]
    assert {"test mae (Wh)", "time", "best epoch", "validation loss", "weights"} <= set(titles)
    raw = {column.name: column.title(raw=True) for column in columns_of(results)}
    assert raw["seconds"] == "time (s)"


@pytest.mark.parametrize(
    ("metric", "task", "unit"),
    [
        ("mse", "regression", "Wh²"),
        ("loss", "regression", ""),
        ("r2", "regression", ""),
        ("perplexity", "classification", ""),
        ("unheard_of", "regression", ""),
        ("loss", "classification", "nats"),
        ("accuracy", "classification", "share"),
        ("bits_per_character", "classification", "bits"),
    ],
)
def test_units_of_metrics(metric, task, unit):
    assert metric_unit(metric, task, "Wh") == unit


def test_a_log_that_does_not_know_the_unit_names_none(tmp_path):
    titles = [c.title() for c in columns_of(sweep(tmp_path, data=None))]
    assert "rmse" in titles


def test_a_column_of_an_installed_package_is_in_every_form(tmp_path):
    results = sweep(tmp_path)
    package = tmp_path / "installed"
    (package / "mine-1.dist-info").mkdir(parents=True)
    (package / "mine-1.dist-info" / "METADATA").write_text("Name: mine\nVersion: 1\n")
    entry = "[rnn_sweep.columns]\ndouble = my_columns:DOUBLE\n"
    (package / "mine-1.dist-info" / "entry_points.txt").write_text(entry)
    (package / "my_columns.py").write_text(
        "from sweep.results.column import Column\n"
        "DOUBLE = Column('double', 'twice the number', lambda r, t: 2 * t.number, 'apples')\n"
    )
    code = (
        "import json, sys\n"
        "from sweep.report.document import render_report\n"
        "from sweep.results.comparison import compare\n"
        "from sweep.results.results import open_results\n"
        "from sweep.results.rows import frame, records\n"
        "from sweep.results.tables import results_table\n"
        "from sweep.tracking.summary_files import top_table\n"
        "from pathlib import Path\n"
        "r = open_results('demo', sys.argv[1])\n"
        "compared = compare('demo/0', 'demo/1', Path(sys.argv[1]))\n"
        "print(json.dumps([\n"
        "    list(frame(r)['double']), [x['double'] for x in records(r)],\n"
        "    [c.header for c in results_table(r, 200).columns], top_table(r)[0],\n"
        "    'double (apples)' in render_report(r),\n"
        "    [x.name for _, rows in compared.parts for x in rows],\n"
        "]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(results.folder.parent)],
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(package), *filter(None, sys.path)])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    table, objects, headers, mlflow, in_report, compared = json.loads(done.stdout)
    assert table == objects == [0, 2, 4]
    assert "double\n(apples)" in headers
    assert "double (apples)" in mlflow
    assert in_report
    assert "double (apples)" in compared

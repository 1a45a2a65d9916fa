"""A sweep beside naive forecasts: the sentence, the lines, the column, the JSON."""

import io
import json

import pytest
from rich.console import Console

from sweep.cli.printing import show_best, show_results
from sweep.log.event import Event
from sweep.log.kinds import Baselined, DataFacts, Evaluated
from sweep.report.document import render_report
from sweep.results.export import best_json
from sweep.results.naive import naive_lines, verdict
from sweep.results.results import open_results
from sweep.results.rows import frame, records
from tests.sweep.sweep_factory import complete, write_sweep

DATA = DataFacts("load", "regression", "abc", units="Wh")


def naive(best: float, **more) -> Event:
    metrics = {
        "mean": {"validation": {"rmse": 2.0}, "test": {"rmse": 1.9}},
        "ridge": {"validation": {"rmse": best, "mae": 0.3}, "test": {"rmse": 0.5}},
    }
    return Event(Baselined(metrics, seconds=1.0, **more))


def sweep(tmp_path, *events, **options):
    trials = [*complete(0, {"k": 1}, 0.5), *complete(1, {"k": 2}, 0.3)]
    tested = Event(Evaluated({"rmse": 0.4}), 1)
    return open_results(write_sweep(tmp_path, *trials, tested, *events, facts=DATA, **options))


def printed(show, results) -> str:
    page = io.StringIO()
    show(Console(file=page, width=200), results)
    return page.getvalue()


def test_a_better_trial_is_said_with_its_skill(tmp_path):
    said = verdict(sweep(tmp_path, naive(0.6)))
    assert said == (
        "Trial 1 beats the best naive forecast, ridge (rmse 0.6 Wh): skill 0.5 on validation, "
        "0.2 on test."
    )


@pytest.mark.parametrize("best", [0.3, 0.1])
def test_that_no_trial_is_better_is_said_everywhere(tmp_path, best):
    results = sweep(tmp_path, naive(best))
    said = f"No trial beats ridge (rmse {best} Wh)."
    assert verdict(results) == said
    assert said in printed(show_best, results)
    assert said in printed(show_results, results)
    assert said in render_report(results)


def test_the_forecasts_stand_in_a_line_the_best_first(tmp_path):
    more = {"notes": {"ridge": "it reads 4 of 6 steps"}, "left_out": {"seasonal": "no season"}}
    results = sweep(tmp_path, naive(0.6, **more))
    assert list(naive_lines(results)) == [
        "Naive forecasts, rmse on validation (test): ridge 0.6 Wh (0.5 Wh), mean 2 Wh (1.9 Wh)",
        "  ridge: it reads 4 of 6 steps",
        "  no seasonal: no season",
    ]
    assert "Naive forecasts, rmse on validation (test): ridge" in printed(show_results, results)


def test_every_trial_has_its_skill_in_files(tmp_path):
    results = sweep(tmp_path, naive(0.6))
    assert frame(results)["skill"].tolist() == pytest.approx([1 - 0.5 / 0.6, 0.5])
    assert records(results)[1]["skill"] == pytest.approx(0.5)
    assert "skill" not in frame(sweep(tmp_path / "without")).columns


def test_the_best_trials_json_has_both_parts_of_every_forecast(tmp_path):
    found = json.loads(best_json(sweep(tmp_path, naive(0.6))))
    assert found["baselines"]["ridge"] == {
        "validation": {"rmse": 0.6, "mae": 0.3}, "test": {"rmse": 0.5},
    }  # fmt: skip
    assert found["skill"] == pytest.approx(0.5)
    assert found["test_skill"] == pytest.approx(0.2)
    without = json.loads(best_json(sweep(tmp_path / "without")))
    assert {"baselines", "skill", "test_skill"}.isdisjoint(without)


def test_without_them_nothing_is_said(tmp_path):
    results = sweep(tmp_path)
    assert verdict(results) == ""
    assert list(naive_lines(results)) == []
    assert "naive" not in printed(show_results, results)
    assert "Beside naive forecasts" not in render_report(results)


def test_an_objective_that_they_lack_is_said(tmp_path):
    objectives = [{"metric": "mae", "direction": "minimize"}]
    lacking = Event(Baselined({"mean": {"validation": {"rmse": 2.0}}}, seconds=1.0))
    results = sweep(tmp_path, lacking, objectives=objectives, search={"objectives": objectives})
    assert list(naive_lines(results)) == ["Naive forecasts have no mae"]
    assert verdict(results) == ""


def test_the_reports_table_has_the_best_trial_above_them(tmp_path):
    page = render_report(sweep(tmp_path, naive(0.6, about={"mean": "the <mean>"})))
    table = page.partition('<section id="naive">')[2].partition("</section>")[0]
    rows = [row for row in table.split("<tr") if "<td" in row]
    assert len(rows) == 3
    assert "trial 1, the best" in rows[0]
    assert "ridge" in rows[1]
    assert 'data-t="1"' in rows[0]
    assert "data-t" not in rows[1]
    assert "the &lt;mean&gt;" in rows[2]
    heads = table.partition("</thead>")[0]
    assert heads.index("validation rmse (Wh)") < heads.index("test rmse (Wh)")
    assert heads.index("test rmse (Wh)") < heads.index("validation mae (Wh)")

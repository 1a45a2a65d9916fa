import json

import pytest

from sweep.results.results import open_results
from sweep.tracking.view import TAG_PREFIX, saved_view, share_key
from tests.sweep.sweep_factory import complete, write_sweep


@pytest.fixture
def results(tmp_path):
    return open_results(
        write_sweep(
            tmp_path,
            *complete(0, {"cell": "gru", "layers": 1, "rate": 0.1}, 0.5),
            *complete(1, {"cell": "lstm", "layers": 1, "rate": 0.2}, 0.3),
        )
    )


def state_of(results):
    key, value = saved_view(results, "abc")
    envelope = json.loads(value)
    return key, envelope, json.loads(envelope["state"])


def test_the_tag_is_the_one_that_mlflows_page_looks_for(results):
    key, envelope, _ = state_of(results)
    assert key == TAG_PREFIX + share_key("abc") == "mlflow.sharedViewState.sweep-abc"
    assert envelope["name"] == "demo: trials, best first"
    assert isinstance(envelope["createdAt"], int)


def test_the_sweeps_trials_stand_best_first_with_what_differs_as_columns(results):
    _, _, state = state_of(results)
    assert "'abc'" in state["searchFilter"]
    assert (state["orderByKey"], state["orderByAsc"]) == ("metrics.`objective`", True)
    columns = state["selectedColumns"]
    assert columns[:3] == ["tags.`state`", "metrics.`objective`", "metrics.`epochs`"]
    assert columns[-3:] == ["params.`cell`", "params.`rate`", "metrics.`best/loss`"]


def test_parallel_coordinates_show_all_trials_and_only_what_differs(results):
    _, _, state = state_of(results)
    parallel = state["compareRunCharts"][0]
    assert parallel["type"] == "PARALLEL"
    assert parallel["selectedParams"] == ["cell", "rate"]
    assert parallel["selectedMetrics"] == ["objective"]
    assert parallel["showAllRuns"] is True
    assert parallel["metricSectionId"] == state["compareRunSections"][0]["uuid"]


def test_curves_of_very_many_trials_are_not_all_drawn_at_once(results, tmp_path):
    assert state_of(results)[2]["runsHiddenMode"] == "SHOW_ALL"
    events = [event for n in range(101) for event in complete(n, {"k": n}, 0.5)]
    many = open_results(write_sweep(tmp_path, *events, name="many"))
    assert state_of(many)[2]["runsHiddenMode"] == "FIRST_20_RUNS"


def test_the_same_sweep_gives_the_same_view(results):
    assert saved_view(results, "abc") == saved_view(results, "abc")


def test_a_maximized_objective_is_sorted_downwards(tmp_path):
    objectives = [{"metric": "accuracy", "direction": "maximize"}]
    folder = write_sweep(tmp_path, objectives=objectives, search={"objectives": objectives})
    _, _, state = state_of(open_results(folder))
    assert state["orderByAsc"] is False


def test_a_wide_space_fits_into_a_tag(tmp_path):
    events = [e for n in (0, 1) for e in complete(n, {f"parameter_{i}": n for i in range(60)}, 0.5)]
    _, value = saved_view(open_results(write_sweep(tmp_path, *events)), "abc")
    assert len(value) < 20_000

"""Metrics that people are shown: the usual ones, and an ensemble's beside its like."""

import io
import json
from dataclasses import replace

from rich.console import Console

from sweep.cli.printing import show_best
from sweep.log.event import Event
from sweep.log.kinds import Ensembled, Evaluated, Reported
from sweep.report.tables import ensemble_section
from sweep.results.ensemble import ensemble_line
from sweep.results.export import best_json
from sweep.results.results import open_results
from tests.sweep.sweep_factory import complete, write_sweep


def test_steps_of_the_horizon_stand_in_files_not_on_the_screen(tmp_path):
    tested = Event(Evaluated({"rmse": 0.4, "mae": 0.3, "rmse/h1": 0.2, "mase/h2": 0.9}), 0)
    results = open_results(write_sweep(tmp_path, *complete(0, {"k": 1}, 0.5), tested))
    page = io.StringIO()
    show_best(Console(file=page, width=200), results)
    assert "  test: rmse 0.4, mae 0.3\n" in page.getvalue()
    assert json.loads(best_json(results))["test"]["rmse/h1"] == 0.2


def with_folds(event: Event) -> Event:
    if not isinstance(event.what, Reported):
        return event
    return replace(event, what=replace(event.what, folds=({"rmse": 0.8}, {"rmse": 0.25})))


def test_an_ensemble_is_compared_with_the_last_fold_not_with_the_mean_over_folds(tmp_path):
    trials = [with_folds(event) for event in complete(0, {"k": 1}, 0.5)]
    found = Ensembled({"0": 1}, 0, {"rmse": 0.24}, better=True)
    results = open_results(write_sweep(tmp_path, *trials, Event(found)))
    assert ensemble_line(results) == (
        "Ensemble of trials 0: rmse 0.24 on validation of the last fold "
        "(trial 0 alone: 0.25 on validation of the last fold)"
    )
    section = ensemble_section(results)
    assert ">0.25<" in section
    assert ">0.5<" not in section

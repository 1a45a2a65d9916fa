"""The sweep's page in MLflow: what a reader finds there."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import yaml

from sweep.history.ledger import Ledger
from sweep.log.event import Event
from sweep.log.kinds import DataFacts, PartFacts, SpaceFacts
from sweep.results.results import Results, open_results
from sweep.tracking.summary_files import masked, summary_files, top_table
from sweep.tracking.summary_note import note
from tests.sweep.synthetic_log import (
    CONFIG,
    START,
    append,
    asked,
    closed,
    completed,
    create_log,
    evaluated,
    failed,
    opened,
    pruned,
    reported,
    started,
    whole_trial,
)

LEDGER = Ledger(available=100.0, complete=60.0, pruned=20.0, idle=15.0, starting=5.0)
SPACE = SpaceFacts(
    "recurrent",
    {
        "learning_rate": {"low": 1e-4, "high": 1e-1, "log": True},
        "hidden_size": {"low": 8, "high": 32, "log": False},
        "tbptt_forward_steps": {"choices": [None, 16]},
    },
)
DATA = DataFacts("digits", "regression", "d" * 64, {"train": PartFacts(1_078, 8)})


def results_of(folder: Path, *events: Event, config: dict[str, Any] | None = None) -> Results:
    log = create_log(folder, config=config)
    append(log, [opened(space=SPACE, data=DATA), *events])
    log.close()
    return open_results("digits", folder)


def with_rate(trial: int, rate: float, epochs: int) -> list[Event]:
    return [
        asked(trial, params={"learning_rate": rate}),
        started(trial),
        *(reported(trial, epoch) for epoch in range(1, epochs + 1)),
        completed(trial, epochs),
    ]


@pytest.fixture
def results(tmp_path: Path) -> Results:
    return results_of(
        tmp_path,
        *with_rate(0, 0.01, 2),
        *with_rate(1, 0.02, 4),
        *[asked(2), started(2), reported(2, 1), pruned(2, 1)],
        *[asked(3), started(3), reported(3, 1), failed(3, 1, "diverged")],
        evaluated(1, 0.3),
        closed(START + 100),
    )


def test_the_note_says_what_was_tried_and_what_came_out(results: Results):
    text = note(results, LEDGER, {"learning_rate": 0.8, "hidden_size": 0.2})
    assert "**digits** (finished): 4 of 16 trials of `recurrent` on data `digits`" in text
    assert "(regression; sequences: train 1,078)" in text
    assert "goal: minimize rmse" in text
    assert "Best: **trial 1**, rmse **0.25** on validation, **0.3** on test (epoch 4 of 4" in text
    assert "`learning_rate=0.02 " in text
    assert "2 complete, 1 pruned, 1 failed (of the failed, 1 diverged)" in text
    assert "finalists' rmse on test: trial 1 0.3" in text
    assert "complete 60%, pruned 20%" in text
    assert "`learning_rate` 80%, `hidden_size` 20%" in text
    assert len(text) < 8_000


def test_the_note_says_what_to_do_next(results: Results):
    text = note(results, LEDGER, {})
    assert "many trials diverged" in text  # one of four
    assert "the best trial's `hidden_size` = 32 lies at the upper end of its range" in text
    assert "`learning_rate` =" not in text  # 0.02 lies in the middle of its range, by logarithm
    assert "`--trials 32`" in text


def test_a_best_trial_that_still_improved_at_its_end_wants_more_epochs(tmp_path: Path):
    text = note(results_of(tmp_path, *whole_trial(0, 8), closed()), LEDGER, {})
    assert "still improving at its last epoch: raise `max_epochs` (8)" in text


def test_a_sweep_without_a_trial_has_a_page_too(tmp_path: Path):
    empty = results_of(tmp_path)
    assert "No trial is complete and allowed yet." in note(empty, Ledger(), {})
    files = summary_files(empty, Ledger(), {})
    assert json.loads(files["top.json"])["data"] == []


def test_the_top_table_ranks_and_shows_only_what_differs(results: Results):
    columns, rows = top_table(results)
    assert columns[:4] == ["trial", "state", "rmse", "test rmse"]
    assert [row[:3] for row in rows] == [[1, "complete", 0.25], [0, "complete", 0.5]]
    assert "learning_rate" in columns
    assert "hidden_size" not in columns  # 32 in both
    assert rows[0][columns.index("learning_rate")] == 0.02


def test_the_files_tell_the_sweep_file_space_data_and_environment(results: Results):
    files = summary_files(results, LEDGER, {"learning_rate": 1.0})
    assert yaml.safe_load(files["sweep.yaml"])["search"]["sampler"] == "tpe"
    assert json.loads(files["space.json"]) == asdict(SPACE)
    assert json.loads(files["data.json"])["digest"] == "d" * 64
    assert json.loads(files["environment.json"])["versions"] == {"torch": "2.13.0"}
    assert json.loads(files["ledger.json"])["pruned"] == 20.0
    assert json.loads(files["importances.json"]) == {"learning_rate": 1.0}
    assert files["top.csv"].decode().splitlines()[1].startswith("1,complete,0.25,0.3,")
    assert b"<td>0.25</td>" in files["top.html"]
    assert files["plots/history.png"].startswith(b"\x89PNG")


def test_no_secret_is_on_the_page(tmp_path: Path):
    secret = {
        "data": {"source": "load.py:arrays", "api_key": "hunter2", "url": "http://me:hunter2@x/"},
    }
    results = results_of(tmp_path, *whole_trial(0, 1), closed(), config=CONFIG | secret)
    for path, content in summary_files(results, LEDGER, {}).items():
        assert b"hunter2" not in content, path
    assert "hunter2" not in note(results, LEDGER, {})


def test_masking_keeps_what_only_looks_like_a_secret():
    assert masked({"tokens": "word", "max_tokens": 9, "password": None, "api_key": "x"}) == {
        "tokens": "word",
        "max_tokens": 9,
        "password": None,
        "api_key": "***",
    }

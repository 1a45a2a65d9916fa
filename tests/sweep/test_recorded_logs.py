"""Logs of an earlier release are read as that release read them, and gone on with."""

from __future__ import annotations

import io
import json
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from sweep.config.sweep_config import SweepConfig
from sweep.history.state import SweepState, TrialState
from sweep.log.event import event_of, row_of
from sweep.log.kinds import KINDS
from sweep.results.export import best_json
from sweep.results.replicates import replication
from sweep.results.results import Results, open_results
from sweep.results.rows import frame, load_results, records
from sweep.running.session import run_sweep
from sweep.work.executors import InProcessExecutor
from tests.sweep.recorded_logs import NAMES, expected, lines, rebuilt, recorded, unpack

METRICS = ("objective", "best.", "test.")


@pytest.mark.parametrize("name", NAMES)
def test_a_recorded_log_says_what_it_said(name: str, tmp_path: Path):
    wanted, folder = expected(name), rebuilt(name, tmp_path)
    found = said_of(open_results(folder), wanted)
    assert found == wanted


@pytest.mark.parametrize("name", NAMES)
def test_an_event_is_written_as_it_was_read(name: str):
    for line in lines(name)[1:]:
        row = {"sweep": name, **line, "payload": json.dumps(line["payload"])}
        again = row_of(name, line["seq"], event_of(SimpleNamespace(**row)))
        assert {**again, "payload": json.loads(again["payload"])} == {**line, "sweep": name}


def test_every_kind_is_recorded():
    assert {line["kind"] for name in NAMES for line in lines(name)[1:]} == set(KINDS)


def test_a_sweep_that_an_earlier_release_began_ends_as_it_would_have_ended(tmp_path: Path):
    folder = rebuilt("interrupted", tmp_path)
    unpack("interrupted.folder.tar", folder)
    config = SweepConfig.model_validate(lines("interrupted")[0]["config"])
    outcome = run_sweep(config, tmp_path, None, InProcessExecutor())
    assert outcome.reason == "finished"
    wanted = pd.read_csv(io.StringIO(recorded("interrupted.final.csv")))
    found = pd.read_csv(io.StringIO(load_results(folder).to_csv(index=False)))[[*wanted]]
    state = open_results(folder).state
    recalled = {trial.number for trial in state.trials.values() if trial.recalled}
    # That release left it pruned, though a finalist was missing: an audit took its place.
    assert recalled == {17}
    assert [t.of for t in state.trials.values() if t.source == "replicate"] == [0, 17]
    wanted, found = (
        table[~table["number"].isin(recalled) & (table["source"] != "replicate")]
        for table in (wanted, found)
    )
    clocks = ["seconds"]
    metrics = [column for column in wanted if column.startswith(METRICS)]
    tested = [column for column in metrics if column.startswith("test.")]
    wanted, found = (
        table.assign(**{name: table[name].where(table["number"] == 0) for name in tested})
        for table in (wanted, found)
    )
    pd.testing.assert_frame_equal(
        found.drop(columns=[*clocks, *metrics]), wanted.drop(columns=[*clocks, *metrics])
    )
    # Other processors and other threads round differently.
    pd.testing.assert_frame_equal(found[metrics], wanted[metrics], rtol=1e-5, atol=1e-7)


def said_of(results: Results, wanted: dict[str, Any]) -> dict[str, Any]:
    """What the present code says, in the words and with the columns of `expected`."""
    trials, replicated = results.trials, replication(results)
    best = json.loads(best_json(results))
    if best and best["checkpoint"]:
        best["checkpoint"] = str(Path(best["checkpoint"]).relative_to(results.folder.resolve()))
    columns = [*pd.read_csv(io.StringIO(wanted["frame_csv"])).columns]
    found = {
        "records": [
            {key: record[key] for key in old}
            for record, old in zip(records(results), wanted["records"], strict=True)
        ],
        "frame_csv": frame(results)[columns].to_csv(index=False),
        "best": best and {key: best[key] for key in wanted["best"]},
        "ledger": results.ledger.entries(),
        "available": results.ledger.available,
        "busy_fraction": results.ledger.busy_fraction,
        "front": sorted(results.front()),
        "finalists": [
            {"number": t.number, "source": t.source, "of": t.of, "test": t.test}
            for t in trials
            if t.test
        ],
        "diagnosis": {str(t.number): results.diagnosis(t) for t in trials},
        "reason": {str(t.number): [t.reason, t.message] for t in trials if t.reason or t.message},
        "replication": replicated
        and {
            "metric": replicated.objective.metric,
            "part": replicated.part,
            "verdict": replicated.verdict,
            "finalists": [
                {
                    "number": finalist.trial.number,
                    "by_seed": finalist.by_seed,
                    "estimate": asdict(finalist.estimate),
                    "lost": finalist.lost,
                }
                for finalist in replicated.finalists
            ],
        },
        "state": state_of(results.state, trials),
    }
    return dict(json.loads(json.dumps(found)))  # keys as text, and no tuples


def state_of(state: SweepState, trials: list[TrialState]) -> dict[str, Any]:
    return {
        "seq": state.seq,
        "open": state.open,
        "searched": state.searched,
        "busy_seconds": state.busy_seconds,
        "wall_seconds": state.wall_seconds,
        "gpu_seconds": state.gpu_seconds,
        "warmed": len(state.warmed),
        "closed": {} if state.closed is None else asdict(state.closed),
        "active": sorted(state.active),
        "paused": sorted(state.paused),
        "followers": state.followers,
        "trials": {trial.number: trial_of(trial) for trial in trials},
    }


def trial_of(trial: TrialState) -> dict[str, Any]:
    names = "state attempt epoch checkpoint checkpoint_epoch cleared generation bracket lead index"
    names += " of values deaths suspect parameters"
    whole = all(value == value for value in trial.curve)
    curve = list(trial.curve) if whole else None
    return {**{name: getattr(trial, name) for name in names.split()}, "curve": curve}

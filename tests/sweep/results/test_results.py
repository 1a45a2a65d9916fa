import json

import pandas as pd
import pytest

from sweep.errors import LogError, UserError
from sweep.log.event import Event
from sweep.log.kinds import Evaluated, Failed, Pruned
from sweep.log.places import open_log
from sweep.results.export import best_json, export, export_format
from sweep.results.results import open_results
from sweep.results.rows import frame, load_results, records
from sweep.results.tables import results_table
from tests.sweep.sweep_factory import asked, closed, complete, ended, trained, write_sweep


@pytest.fixture
def folder(tmp_path):
    """Trials: 0 complete (0.5), 1 complete (0.3, tested), 2 pruned, 3 failed, 4 begun."""
    return write_sweep(
        tmp_path / "sweeps",
        *complete(0, {"cell": "gru", "layers": 1}, 0.5),
        *complete(1, {"cell": "lstm", "layers": 1}, 0.3),
        asked(2, cell="gru", layers=2),
        *trained(2, 1, {"rmse": 0.9}),
        ended(Pruned, 2, 1, {"rmse": 0.9}, values=(0.9,), rule="median"),
        asked(3, cell="gru", layers=None),
        Event(Failed("diverged", "not finite"), 3, 1, 0),
        asked(4, cell="lstm", layers=2),
        *trained(4, 3, {"rmse": 0.4}, best_epoch=2),
        Event(Evaluated({"rmse": 0.35}), 1),
        closed("interrupted"),
    )


class TestRecords:
    def test_a_record_has_exactly_the_promised_keys(self, folder):
        record = records(open_results(folder))[1]
        assert record == {
            "number": 1,
            "state": "complete",
            "of": None,
            "objective": 0.3,
            "epochs": 2,
            "best_epoch": 1,
            "seconds": 2.0,
            "diagnosis": None,
            "parameters": 50,
            "seed": 101,
            "source": "sampler",
            "reason": "max_epochs",
            "message": None,
            "params": {"cell": "lstm", "layers": 1},
            "best": {"rmse": 0.3, "loss": 0.09},
            "test": {"rmse": 0.35},
        }

    def test_a_family_without_members_is_an_empty_object(self, tmp_path):
        (record,) = records(open_results(write_sweep(tmp_path, asked(0))))
        assert (record["params"], record["best"], record["test"]) == ({}, {}, {})

    def test_json_and_csv_hold_the_same_columns(self, folder):
        flat = set()
        for record in records(open_results(folder)):
            for name, value in record.items():
                flat |= {f"{name}.{k}" for k in value} if isinstance(value, dict) else {name}
        assert flat == set(load_results(folder).columns)

    def test_states_are_those_of_a_sweep_that_was_interrupted(self, folder):
        states = [record["state"] for record in records(open_results(folder))]
        assert states == ["complete", "complete", "pruned", "failed", "paused"]

    def test_a_begun_trial_runs_while_its_coordinator_does(self, tmp_path):
        folder = write_sweep(tmp_path, asked(0), *trained(0, 1, {"rmse": 0.4}))
        log = open_log(folder)
        log.write_pulse({"phase": "training"})
        log.close()
        assert records(open_results(folder))[0]["state"] == "running"

    def test_a_failed_trial_has_no_objective(self, folder):
        assert records(open_results(folder))[3]["objective"] is None


class TestFrame:
    def test_one_row_a_trial_with_flat_columns(self, folder):
        frame = load_results(folder)
        assert list(frame.columns) == [
            "number", "state", "objective", "epochs", "best_epoch", "seconds", "diagnosis",
            "parameters", "seed", "source", "of", "reason", "message",
            "params.cell", "params.layers", "best.rmse", "best.loss", "test.rmse",
        ]  # fmt: skip
        assert list(frame["number"]) == [0, 1, 2, 3, 4]
        assert list(frame["seconds"]) == [2.0, 2.0, 1.0, 0.0, 3.0]
        assert frame.loc[1, "test.rmse"] == 0.35

    def test_a_name_is_looked_up_in_the_directory(self, folder):
        assert len(load_results("demo", folder.parent)) == 5

    def test_a_sweep_without_trials_is_an_empty_frame(self, tmp_path):
        frame = load_results(write_sweep(tmp_path))
        assert len(frame) == 0
        assert "objective" in frame.columns

    def test_an_unknown_sweep_names_those_that_are_there(self, folder):
        with pytest.raises(LogError, match=r"\(demo\), but got 'other'"):
            load_results("other", folder.parent)


class TestFront:
    def test_the_front_holds_what_nothing_beats_in_all_objectives(self, tmp_path):
        objectives = [
            {"metric": "rmse", "direction": "minimize"},
            {"metric": "parameters", "direction": "minimize"},
        ]
        sizes = {0: (0.5, 10), 1: (0.3, 40), 2: (0.6, 10), 3: (0.4, 40), 4: (0.3, 40)}
        events = [
            event
            for number, (rmse, size) in sizes.items()
            for event in complete(number, {}, rmse, parameters=size)
        ]
        folder = write_sweep(
            tmp_path, *events, objectives=objectives, search={"objectives": objectives}
        )
        results = open_results(folder)
        # 2 has 0's size and a worse error; 3 has 1's size and a worse error; 1 and 4 are equal.
        assert results.front() == {0, 1, 4}
        record = records(results)[2]
        assert record["objective"] == [0.6, 10.0]
        assert record["pareto"] is False
        table = frame(results)
        assert list(table["pareto"]) == [True, True, False, False, True]
        assert list(table["objective.parameters"]) == [10, 40, 10, 40, 40]


class TestExport:
    @pytest.mark.parametrize(
        ("output", "kind"),
        [("a.csv", "csv"), ("a.json", "json"), ("a.parquet", "parquet"), ("a.txt", "table")],
    )
    def test_the_files_ending_chooses_the_format(self, tmp_path, output, kind):
        assert export_format(None, tmp_path / output) == kind
        assert export_format("csv", tmp_path / output) == "csv"

    def test_parquet_to_the_terminal_is_refused(self):
        with pytest.raises(UserError, match="needs --output"):
            export_format("parquet", None)

    def test_csv_and_parquet_hold_the_same_numbers(self, folder, tmp_path):
        results = open_results(folder)
        export(results, "csv", tmp_path / "a.csv")
        export(results, "parquet", tmp_path / "a.parquet")
        csv, parquet = pd.read_csv(tmp_path / "a.csv"), pd.read_parquet(tmp_path / "a.parquet")
        assert list(csv.columns) == list(parquet.columns)
        assert list(csv["best.rmse"].dropna()) == list(parquet["best.rmse"].dropna())

    def test_choices_of_mixed_types_fit_into_parquet(self, tmp_path):
        events = [event for n, v in enumerate([None, 16, "full"]) for event in [asked(n, k=v)]]
        folder = write_sweep(tmp_path, *events)
        export(open_results(folder), "parquet", tmp_path / "a.parquet")
        assert list(pd.read_parquet(tmp_path / "a.parquet")["params.k"])[1:] == ["16", "full"]

    def test_the_best_trial_as_json_names_its_checkpoint(self, folder, tmp_path):
        best = json.loads(best_json(open_results(folder)))
        path = folder.resolve() / "checkpoints" / "c1"
        assert (best["number"], best["checkpoint"]) == (1, str(path))
        assert best_json(open_results(write_sweep(tmp_path))) == "null"


class TestTable:
    def headers(self, folder, width):
        table = results_table(open_results(folder), width)
        return [column.header for column in table.columns], table

    def test_best_first_with_all_metrics_and_varying_parameters(self, folder):
        headers, table = self.headers(folder, 200)
        assert headers == [
            "trial", "state", "rmse", "test\nrmse",
            "epochs", "best\nepoch", "time", "cell", "layers", "validation\nloss",
        ]  # fmt: skip
        assert list(table.columns[0].cells) == ["1", "0", "2", "4", "3"]
        assert list(table.columns[2].cells) == ["0.3", "0.5", "0.9", "0.4", "-"]
        assert list(table.columns[3].cells) == ["0.35", "-", "-", "-", "-"]
        assert list(table.columns[5].cells) == ["1", "1", "1", "2", "0"]

    def test_what_does_not_fit_is_named_below(self, folder):
        # trial 7, state 10, rmse 6, test rmse 6, epochs 8, best epoch 7, time 7, cell 6: 57.
        headers, table = self.headers(folder, 57)
        assert headers[-1] == "cell"
        assert "not shown: layers, validation loss" in table.caption
        headers, table = self.headers(folder, 56)
        assert headers[-1] == "time"

    def test_what_leads_is_shown_however_narrow(self, folder):
        assert self.headers(folder, 1)[0] == ["trial", "state", "rmse", "test\nrmse"]

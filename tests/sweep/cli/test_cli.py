import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

import sweep.running.session
from sweep.__main__ import main
from sweep.cli.live import PlainLines, live_table, summary
from sweep.log.places import open_log
from sweep.running.progress import BestTrial, NaiveMark, Progress, TrialEnd
from sweep.running.session import Outcome
from sweep.tracking.ui import server_command, server_environment
from sweep.words.console import duration, short
from tests.sweep.sweep_factory import closed, complete, write_sweep

TBPTT = ["--set", "space.parameters.tbptt_forward_steps=[null, 4]"]
ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)


@pytest.fixture
def demo(tmp_path):
    return write_sweep(
        tmp_path / "sweeps",
        *complete(0, {"cell": "gru"}, 0.5),
        *complete(1, {"cell": "lstm"}, 0.34567),
        closed(),
    )


def run(capsys, *words):
    code = main(words)
    captured = capsys.readouterr()
    return code, captured.out, captured.err


class TestMistakes:
    @pytest.mark.parametrize("file", ["nodir/x.csv", "nodir/x.parquet"])
    def test_a_file_in_a_folder_that_is_not_there(self, capsys, demo, file):
        code, out, err = run(capsys, "results", "demo", "--output", file)
        assert (code, out) == (2, "")
        assert err == f"error: {file}: No such file or directory.\n"

    @pytest.mark.parametrize(
        ("words", "says"),
        [
            (["run", "nowhere.yaml"], "no such file, and no such preset"),
            (["run"], "Missing argument"),
            (["fly"], "No such command 'fly'"),
            (["run", "digits", "--trails", "3"], "No such option: --trails"),
            (["run", "digits", "--trials", "many"], "Invalid value for '--trials'"),
            (["run", "digits", "--trials", "0"], "budget.trials must be >= 1, but got 0."),
            (["run", "digits", "--workers", "two"], "run.workers must be auto or a whole number"),
            (["run", "digits", "--set", "train.layer_dropout=1.2"], "0 <= layer_dropout < 1"),
            (["run", "digits", "--set", "train.tbptt_forward_steps=0"], "tbptt_forward_steps >= 1"),
            (
                ["run", "digits", "--set", "data.source=nowhere"],
                "but got 'nowhere'; a function of",
            ),
            (["run", "digits", "--set", "space.base=nowhere"], "search space 'nowhere' is unknown"),
            (
                ["run", "smoke", "--set", "train.bidirectional=true", *TBPTT],
                "bidirectional",
            ),
            (["run", "smoke", "--set", "space.base=null"], "at least one parameter"),
            (["run", "smoke", "--set", "search.sampler=grid"], "parameter 'learning_rate' is cont"),
            (["run", "appliances", "--set", "data.path=no.csv"], "no.csv"),
            (["plan", "digits", "--set", "data.spilt=1"], "spilt"),
            (["results", "demo"], "a sweep must be one of those in sweeps (none yet)"),
            (["best", "demo", "--format", "xml"], "'xml' is not one of"),
            (["ui"], "there is none yet"),
            (["ui", "--port", "99999999"], "Invalid value for '--port'"),
            (["stop", "demo", "--wait", "-1"], "Invalid value for '--wait'"),
            (
                ["run", "smoke", "--set", "search.seed=4294967296"],
                "search.seed must be < 4294967296, but",
            ),
            (
                ["run", "smoke", "--set", "run.backend=graph", "--set", "run.device=cpu"],
                "run.backend=graph captures CUDA graphs, so it needs run.device cuda, but got cpu",
            ),
            (["run", "smoke", "--set", "tracking.register_as=a/b"], "a model's name, without /"),
            (
                ["run", "smoke", "--set", "tracking.uri=foo://x"],
                "tracking.uri must begin with http",
            ),
            (["register", "demo", "--as", "a:b"], "--as must be a model's name"),
            (
                ["plan", "digits", "--set", "space.parameters.hidden_size=1000000000"],
                "a pack must fit into memory",
            ),
            (
                ["run", "smoke", "--set", "cluster.deploy.hours=1e12"],
                "deploy.hours must be <= 10000",
            ),
            (["results", "demo", "--output", "x.xlsx"], "a file's ending says its format (.csv"),
            (["predict", "demo", "demo.csv", "--output", "x.xlsx"], "a file's ending says its for"),
        ],
    )
    def test_one_line_exit_code_2_and_nothing_written(self, capsys, tmp_path, words, says):
        code, out, err = run(capsys, *words)
        assert code == 2
        assert out == ""
        assert err.startswith("error: ")
        assert says in err
        assert err.count("\n") == 1
        assert list(tmp_path.iterdir()) == []

    def test_a_file_instead_of_a_folder_is_no_traceback(self, capsys, tmp_path):
        (tmp_path / "sweeps").write_text("")
        code, _, err = run(capsys, "run", "smoke")
        assert code == 2
        assert "sweeps" in err
        assert err.count("\n") == 1

    def test_another_configuration_is_refused_with_the_difference(self, capsys, demo):
        Path("demo.yaml").write_text("data: {source: digits}\nsearch: {seed: 7}\n")
        code, _, err = run(capsys, "run", "demo.yaml")
        assert code == 2
        assert "search.seed: 0 → 7" in err

    def test_a_bug_keeps_its_traceback(self, monkeypatch):
        def broken(*_):
            raise RuntimeError("a bug")

        monkeypatch.setattr("sweep.results.results.open_results", broken)
        with pytest.raises(RuntimeError, match="a bug"):
            main(["status", "demo"])


class TestRun:
    @pytest.fixture
    def session(self, monkeypatch, demo):
        """Replaces the session: records what it was asked and ends as told."""
        calls, folder = [], Path("sweeps") / demo.name

        def fake(config, directory, progress, **options):
            calls.append((config, directory))
            progress(Progress({"running": 1}, 2, ended=(TrialEnd(0, "complete", "rmse", 0.5, 2),)))
            reason = os.environ.get("TEST_REASON", "finished")
            if reason == "ctrl-c":
                raise KeyboardInterrupt
            left = int(os.environ.get("TEST_LEFT", "0"))
            return Outcome(reason, folder, 1, (), 0.97, 75.0, left, "TEST_FAILED" in os.environ)

        monkeypatch.setattr(sweep.running.session, "run_sweep", fake)
        return calls

    def test_options_reach_the_configuration(self, capsys, session):
        words = ["--trials", "7", "--workers", "3", "--name", "mine", "--set", "search.seed=4"]
        assert main(["run", "smoke", *words, "--dir", "elsewhere"]) == 0
        config, directory = session[0]
        assert (config.budget.trials, config.run.workers, config.name) == (7, 3, "mine")
        assert config.search.seed == 4
        assert directory == Path("elsewhere")

    def test_the_end_tells_the_best_the_place_and_what_to_type_next(self, capsys, session):
        code, out, _ = run(capsys, "run", "smoke", "--set", "search.seed=4")
        assert code == 0
        assert "trial 0 complete, rmse 0.5 after 2 epochs" in out
        assert "demo: 2 of 2 trials done (2 complete) in 1 min 15 s, workers busy 97%" in out
        assert "Best: trial 1, rmse 0.3457 on validation" in out
        assert out.splitlines()[-4:] == [
            "  rnn-sweep results demo",
            "  rnn-sweep report demo",
            "  rnn-sweep ui",
            "  rnn-sweep run smoke --set search.seed=4 --trials 8",
        ]

    def test_a_finished_sweep_given_again_says_so(self, capsys, monkeypatch, session, demo):
        outcome = Outcome(
            "finished", Path("sweeps") / demo.name, 1, (), None, 3.0, nothing_left=True
        )
        monkeypatch.setattr(sweep.running.session, "run_sweep", lambda *args, **options: outcome)
        _, out, _ = run(capsys, "run", "smoke")
        done = "demo: finished before, nothing was left to do: 2 of 2 trials done (2 complete)"
        assert out.splitlines()[0] == done

    def test_what_mlflow_did_not_get_is_told_with_the_command_that_writes_it(
        self, capsys, session, monkeypatch
    ):
        monkeypatch.setenv("TEST_LEFT", "12")
        monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://me:secret@host:5000")
        _, out, _ = run(capsys, "run", "smoke")
        assert "MLflow's record: http://***@host:5000 (12 events still wait)" in out
        assert "  rnn-sweep sync demo\n" in out

    @pytest.mark.parametrize(
        ("option", "says"),
        [
            ("--budget-hours", "The time budget of 0.5 h is used up."),
            ("--budget-gpu-hours", "The budget of 0.5 GPU hours is used up."),
        ],
    )
    def test_a_spent_budget_is_named_and_a_larger_one_goes_on(
        self, capsys, session, demo, monkeypatch, option, says
    ):
        monkeypatch.setenv("TEST_REASON", "budget")
        key = option.removeprefix("--budget-").replace("-", "_")
        log = open_log(demo)
        log.replace_config({**log.config(), "budget": {"trials": 16, key: 0.5}})
        log.close()
        code, out, _ = run(capsys, "run", "smoke", option, "0.5", "--trials", "9")
        assert code == 0
        assert says in out
        assert out.splitlines()[-1] == f"  rnn-sweep run smoke --trials 9 {option} 1.0"

    def test_a_sweep_whose_every_trial_failed_has_failed(self, capsys, session, monkeypatch):
        monkeypatch.setenv("TEST_FAILED", "1")
        assert run(capsys, "run", "smoke")[0] == 1

    def test_for_machines_every_line_is_json_and_the_last_says_how_it_ended(self, capsys, session):
        code, out, _ = run(capsys, "run", "smoke", "--log-format", "json")
        assert code == 0
        lines = [json.loads(line) for line in out.splitlines()]
        assert lines[-1]["reason"] == "finished"
        assert (lines[-1]["best"], lines[-1]["folder"]) == (1, "sweeps/demo")

    @pytest.mark.parametrize("reason", ["interrupted", "ctrl-c"])
    def test_an_interruption_tells_how_to_go_on(self, capsys, session, monkeypatch, reason):
        monkeypatch.setenv("TEST_REASON", reason)
        code, _, err = run(capsys, "resume", "smoke", "--trials", "9", "--dir", "a b")
        assert code == 130
        assert "go on with: rnn-sweep resume smoke --trials 9 --dir 'a b'\n" in err


class TestReading:
    def test_results_as_json(self, capsys, demo):
        code, out, _ = run(capsys, "results", "demo", "--format", "json")
        assert code == 0
        assert [record["objective"] for record in json.loads(out)] == [0.5, 0.34567]

    def test_results_as_a_table(self, capsys, demo):
        _, out, _ = run(capsys, "results", "demo")
        lines = [line.split() for line in out.splitlines()]
        assert lines[:2] == [
            ["best", "validation"],
            ["trial", "state", "rmse", "epochs", "epoch", "time", "cell", "loss"],
        ]
        assert lines[2] == ["1", "complete", "0.3457", "2", "1", "2.0", "s", "lstm", "0.1195"]

    def test_results_to_a_file(self, capsys, demo):
        code, out, _ = run(capsys, "results", "demo", "--output", "demo.csv")
        assert (code, out) == (0, "")
        assert Path("demo.csv").read_text().startswith("number,state,objective")

    def test_best(self, capsys, demo):
        _, out, _ = run(capsys, "best", "demo")
        assert out.splitlines()[:2] == [
            "Best: trial 1, rmse 0.3457 on validation, epoch 1 of 2",
            "  validation: rmse 0.3457, loss 0.1195",
        ]
        _, out, _ = run(capsys, "best", "demo", "--format", "json")
        assert json.loads(out)["params"] == {"cell": "lstm"}

    def test_status_of_one_and_of_all(self, capsys, demo):
        _, one, _ = run(capsys, "status", "demo")
        _, every, _ = run(capsys, "status")
        assert one == every
        assert one.startswith("demo: finished, 2 of 2 trials done (2 complete)")

    def test_lists(self, capsys):
        assert "hidden_size" in run(capsys, "spaces")[1]
        assert "digits-pixels" in run(capsys, "presets")[1]
        assert json.loads(run(capsys, "schema")[1])["title"] == "rnn-sweep file"
        assert run(capsys, "--version")[1].startswith("rnn-sweep 0.")

    def test_the_server_gets_one_worker_and_the_folders_store(self, tmp_path):
        command = server_command(tmp_path, "127.0.0.1", 5001)
        assert command[1:] == [
            "-m", "mlflow", "server",
            "--artifacts-destination", str(tmp_path / "mlartifacts"),
            "--host", "127.0.0.1",
            "--port", "5001",
            "--workers", "1",
        ]  # fmt: skip
        uri = "postgresql://me:hush@db/mlflow"
        assert server_environment(uri)["MLFLOW_BACKEND_STORE_URI"] == uri


class TestProgress:
    def test_a_failed_trial_says_why(self):
        lines = []
        failed = TrialEnd(3, "failed", "rmse", None, 0, "ArithmeticError: a [bug]")
        PlainLines(lines.append)(Progress({"failed": 1}, 4, ended=(failed,)))
        assert "trial 3 failed after 0 epochs (ArithmeticError: a [bug])" in lines[0]

    PROGRESS = Progress(
        counts={"complete": 3, "pruned": 1, "running": 2},
        budget_trials=16,
        best=BestTrial(2, "accuracy", 0.98765, {"cell": "gru", "bidirectional": True, "k": None}),
        epochs_per_second=12.3456,
        training=2,
        busy_fraction=0.954,
        elapsed_seconds=61.0,
        eta_seconds=3700.0,
        workers_alive=2,
    )

    def test_one_line_about_the_sweep(self):
        assert summary(self.PROGRESS) == (
            "4 of 16 trials done, best accuracy 0.9877 (trial 2), 2 running on 2 workers, "
            "12.35 epochs/s, busy 95%, about 1 h 01 min left"
        )

    def test_nothing_is_said_of_what_is_not_known(self):
        early = Progress({}, 1, training=1, workers_alive=1)
        assert summary(early) == "0 of 1 trial done, 1 running on 1 worker, 0 epochs/s"

    @pytest.mark.parametrize(
        ("mark", "said"),
        [
            (NaiveMark("ridge", "rmse", 0.5, 0.25, True), "ridge rmse 0.5 Wh, skill 0.25"),
            (NaiveMark("ridge", "rmse", 0.5, -1.0, False), "No trial beats ridge (rmse 0.5 Wh)"),
            (NaiveMark("ridge", "rmse", 0.5), "ridge rmse 0.5 Wh"),
        ],
    )
    def test_the_best_naive_forecast_stands_beside_the_best_trial(self, mark, said):
        progress = Progress({}, 1, training=1, workers_alive=1, unit="Wh", naive=mark)
        assert summary(progress) == f"0 of 1 trial done, {said}, 1 running on 1 worker, 0 epochs/s"
        page = io.StringIO()
        Console(file=page, width=100).print(live_table(progress))
        assert said in next(line for line in page.getvalue().splitlines() if "naive" in line)

    def test_repeats_are_said_apart_and_values_have_their_unit(self):
        repeats = {"replicate": (2, 6), "audit": (1, 1)}
        end = TrialEnd(9, "complete", "rmse", 0.5, 1)
        best = BestTrial(2, "rmse", 0.25, {})
        lines = []
        PlainLines(lines.append)(
            Progress({"complete": 8}, 8, best, (end,), repeats=repeats, unit="Wh")
        )
        assert lines == [
            "trial 9 complete, rmse 0.5 Wh after 1 epoch; 8 of 8 trials done, 1 audit, "
            "2 of 6 replicates, best rmse 0.25 Wh (trial 2)"
        ]

    def test_the_live_table(self):
        cells = list(live_table(self.PROGRESS).columns[1].cells)
        assert cells == [
            "4 of 16 trials done: 3 complete, 1 pruned, 2 running",
            "accuracy 0.9877, trial 2",
            "cell=gru bidirectional=true k=null",
            "12.35 epochs/s on 2 workers, busy 95%",
            "1 min 01 s, about 1 h 01 min left",
        ]

    def test_plain_lines_come_at_ends_and_every_ten_seconds(self):
        now, lines = [0.0], []
        show = PlainLines(lines.append, clock=lambda: now[0])
        for second in (0.25, 9.0, 10.5, 11.0, 20.0, 20.6):
            now[0] = second
            show(self.PROGRESS)
        assert len(lines) == 2  # at 10.5 and 20.6
        now[0] = 21.0
        show(Progress({"failed": 1}, 2, ended=(TrialEnd(5, "failed", "rmse", None, 3),)))
        assert lines[2] == "trial 5 failed after 3 epochs; 1 of 2 trials done"

    @pytest.mark.parametrize(
        ("seconds", "text"),
        [(0.04, "0.0 s"), (59.9, "59.9 s"), (60, "1 min 00 s"), (3599.6, "1 h 00 min")],
    )
    def test_durations(self, seconds, text):
        assert duration(seconds) == text

    @pytest.mark.parametrize(
        ("value", "text"),
        [(1 / 3, "0.3333"), (12345, "12345"), (1e-7, "1e-07"), (None, "-"), (True, "yes")],
    )
    def test_numbers(self, value, text):
        assert short(value) == text


def test_help_imports_nothing_heavy():
    script = (
        "import sys; from sweep.__main__ import main; main(['run', '--help'])\n"
        "heavy = {'torch', 'ray', 'mlflow', 'optuna', 'pandas', 'sqlalchemy', 'sklearn'}\n"
        "sys.stderr.write(' '.join(sorted(heavy & set(sys.modules))))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "rnn-sweep run digits" in done.stdout

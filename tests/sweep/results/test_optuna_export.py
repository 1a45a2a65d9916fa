import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution
from optuna.trial import TrialState as OptunaState

from sweep.errors import UserError
from sweep.log.event import Event
from sweep.log.event_log import EventLog
from sweep.log.kinds import Completed, Evaluated, Failed, Pruned
from sweep.results.optuna_export import export_study
from sweep.results.results import open_results
from tests.sweep.events_factory import changed
from tests.sweep.sweep_factory import asked, complete, ended, trained, write_sweep

RANGE = {"low": 1e-4, "high": 1.0, "log": True}


@pytest.fixture
def folder(tmp_path):
    """Trials: 0 complete and tested, 1 pruned, 2 diverged, 3 running, 4 waiting, 5 replicate."""
    replicate = complete(5, {"cell": "gru", "learning_rate": 0.1, "layers": None}, 0.4)
    replicate[0] = changed(replicate[0], source="replicate", of=0)
    return write_sweep(
        tmp_path / "sweeps",
        *complete(0, {"cell": "gru", "learning_rate": 0.1, "layers": None}, 0.5),
        Event(Evaluated({"rmse": 0.6}), 0),
        asked(1, cell="lstm", learning_rate=0.001, layers=2),
        *trained(1, 3, {"rmse": 0.9, "loss": 0.81}),
        ended(Pruned, 1, 3, {"rmse": 0.9}, values=(0.9,), rule="median"),
        asked(2, cell="gru", learning_rate=0.2, layers=2),
        Event(Failed("diverged", "not finite"), 2, 1, 0),
        asked(3, cell="gru", learning_rate=0.03, layers=2),
        *trained(3, 1, {"rmse": 0.7, "loss": 0.49}),
        asked(4, cell="gru", learning_rate=0.04, layers=2),
        *replicate,
        space={"base": None, "parameters": {"learning_rate": RANGE}},
    )  # fmt: skip


def export(folder, url):
    log = EventLog.open(folder / "sweep.db", folder.name)
    try:
        return export_study(open_results(folder), log, url)
    finally:
        log.close()


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path / 'study.db'}"


def test_optuna_reads_every_trial_as_it_stands(folder, url):
    assert export(folder, url) == (5, False)
    study = optuna.load_study(study_name="demo", storage=url)
    assert [t.state for t in study.trials] == [
        OptunaState.COMPLETE,
        OptunaState.PRUNED,
        OptunaState.FAIL,
        OptunaState.RUNNING,
        OptunaState.WAITING,
    ]
    assert [t.number for t in study.trials] == [0, 1, 2, 3, 4]
    assert (study.best_trial.number, study.best_value) == (0, 0.5)
    assert study.metric_names == ["rmse"]
    assert study.direction.name == "MINIMIZE"


def test_parameters_come_with_the_spaces_distributions(folder, url):
    export(folder, url)
    trial = optuna.load_study(study_name="demo", storage=url).trials[0]
    assert trial.params == {"cell": "gru", "learning_rate": 0.1, "layers": None}
    assert trial.distributions["learning_rate"] == FloatDistribution(1e-4, 1.0, log=True)
    assert trial.distributions["layers"] == CategoricalDistribution([None, 2])


def test_epochs_times_and_what_optuna_has_no_place_for_come_along(folder, url):
    export(folder, url)
    trials = optuna.load_study(study_name="demo", storage=url).trials
    assert trials[1].intermediate_values == {1: 0.9, 2: 0.9, 3: 0.9}
    assert trials[0].user_attrs["uid"] == "u0"
    assert trials[0].user_attrs["test.rmse"] == 0.6
    assert trials[0].user_attrs["best.loss"] == 0.25
    assert trials[2].user_attrs["reason"] == "diverged"
    began = open_results(folder).trials[0].started_at
    assert trials[0].datetime_start.timestamp() == pytest.approx(began, abs=1e-3)
    assert trials[0].datetime_complete >= trials[0].datetime_start


def test_exporting_again_replaces_the_study_and_nothing_else(folder, url, tmp_path):
    other = optuna.create_study(study_name="other", storage=url)
    other.optimize(lambda trial: trial.suggest_float("x", 0, 1), n_trials=2)
    export(folder, url)
    log = EventLog.open(folder / "sweep.db", "demo")
    end = ended(Completed, 3, 2, {"rmse": 0.2}, values=(0.2,))
    log.append([end], log.take_fence("here:1"))
    log.close()
    assert export(folder, url) == (5, True)
    assert sorted(optuna.get_all_study_names(url)) == ["demo", "other"]
    assert optuna.load_study(study_name="demo", storage=url).best_value == 0.2
    assert len(optuna.load_study(study_name="other", storage=url).trials) == 2


def test_an_export_that_breaks_leaves_the_last_one(folder, url, monkeypatch):
    export(folder, url)

    def breaks(pairs):
        raise KeyboardInterrupt

    monkeypatch.setattr("sweep.results.optuna_rows._attributes", breaks)
    with pytest.raises(KeyboardInterrupt):
        export(folder, url)
    assert len(optuna.load_study(study_name="demo", storage=url).trials) == 5


def test_a_foreign_study_of_the_same_name_is_left_alone(folder, url):
    optuna.create_study(study_name="demo", storage=url)
    with pytest.raises(UserError, match="must be an export of this sweep to be replaced"):
        export(folder, url)
    assert optuna.load_study(study_name="demo", storage=url).trials == []


def test_two_objectives(tmp_path, url):
    objectives = [
        {"metric": "rmse", "direction": "minimize"},
        {"metric": "r2", "direction": "maximize"},
    ]
    end = ended(Completed, 0, 1, {"rmse": 0.5, "r2": 0.8}, values=(0.5, 0.8))
    folder = write_sweep(
        tmp_path, asked(0, k=1), *trained(0, 1, {"rmse": 0.5, "r2": 0.8, "loss": 1.0}), end,
        objectives=objectives, search={"objectives": objectives},
    )  # fmt: skip
    export(folder, url)
    study = optuna.load_study(study_name="demo", storage=url)
    assert study.best_trials[0].values == [0.5, 0.8]
    assert [d.name for d in study.directions] == ["MINIMIZE", "MAXIMIZE"]


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ("study.db", "must be a database URL as sqlite:///study.db, but got 'study.db'"),
        ("sqlite://", "must outlive the export"),
        ("sqlite:///no/such/folder/x.db", "no/such/folder does not"),
        ("nosuchdb://x/y", "nosuchdb"),
    ],
)
def test_a_wrong_url_is_one_line(folder, bad, message):
    with pytest.raises(UserError, match=message):
        export(folder, bad)


def test_the_sweeps_own_log_is_refused(folder):
    with pytest.raises(UserError, match="must not be the sweep's own log"):
        export(folder, f"sqlite:///{folder / 'sweep.db'}")


def test_a_file_that_is_no_database_is_one_line(folder, tmp_path):
    (tmp_path / "text.db").write_text("not a database, but long enough to be looked at " * 40)
    with pytest.raises(UserError, match="file is not a database"):
        export(folder, f"sqlite:///{tmp_path / 'text.db'}")


def test_a_password_stays_out_of_the_study(tmp_path, url):
    data = {"source": "my.py:load", "url": "postgresql://me:hunter2@host/db"}
    folder = write_sweep(tmp_path, *complete(0, {"k": 1}, 0.5), data=data)
    export(folder, url)
    study = optuna.load_study(study_name="demo", storage=url)
    assert "hunter2" not in study.user_attrs["sweep.file"]
    assert "postgresql://***@host/db" in study.user_attrs["sweep.file"]

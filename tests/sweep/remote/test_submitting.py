import shlex

import pytest
import yaml

from sweep.config.sweep_config import load_config
from sweep.errors import ConfigProblem
from sweep.remote.submitting import FORWARDED, prepare_submission


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """A sweep's folder with its files, somewhere else than where the command is typed."""
    for name in FORWARDED:
        monkeypatch.delenv(name, raising=False)
    home = tmp_path / "mine"
    (home / "src").mkdir(parents=True)
    (home / "texts").mkdir()
    (home / "load.csv").write_text("load\n1\n")
    (home / "src" / "my.py").write_text("def space(trial):\n    return {'cell': 'gru'}\n")
    for name in ("a.txt", "b.txt", ".hidden"):
        (home / "texts" / name).write_text(name)
    elsewhere = tmp_path / "typed" / "here"
    elsewhere.mkdir(parents=True)
    (tmp_path / "typed" / "other.csv").write_text("load\n2\n")
    monkeypatch.chdir(elsewhere)
    return home


def write(folder, text):
    path = folder / "load.yaml"
    path.write_text(text)
    return path


def sent(submission):
    """The files sent, and the sweep file as the cluster gets it."""
    names = {name for name in submission.files if name.startswith("submitted/")}
    text = submission.files["submitted/load.yaml"]
    return names - {"submitted/load.yaml"}, yaml.safe_load(text)


def test_what_the_file_names_relative_goes_with_it(folder):
    path = write(
        folder,
        "data: {source: csv, path: load.csv, target: load, input_steps: 1}\n"
        "space: {base: src/my.py:space}\n",
    )
    made = prepare_submission(path)
    names, values = sent(made)
    assert names == {"submitted/load.csv", "submitted/src/my.py"}
    assert values["data"]["path"] == "load.csv"
    assert values["space"]["base"] == "src/my.py:space"
    assert values["run"]["address"] == "auto"
    assert values["name"] == "load"
    assert made.files["submitted/load.csv"] == folder / "load.csv"
    assert made.notes == ()


@pytest.mark.parametrize("path", ["texts", "texts/*.txt"])
def test_folders_and_patterns_go_with_their_files(folder, path):
    made = prepare_submission(write(folder, f"data: {{source: text, path: '{path}'}}"))
    names, values = sent(made)
    assert names == {"submitted/texts/a.txt", "submitted/texts/b.txt"}
    assert values["data"]["path"] == path


def test_what_set_names_may_lie_anywhere_here(folder):
    path = write(folder, "data: {source: csv, path: load.csv, target: load, input_steps: 1}")
    made = prepare_submission(path, ["data.path=../other.csv"])
    names, values = sent(made)
    assert names == {f"submitted/{values['data']['path']}"}
    assert made.files[f"submitted/{values['data']['path']}"].read_text() == "load\n2\n"
    made = prepare_submission(path, ["data.path=../*.csv"])
    assert sent(made)[1]["data"]["path"].endswith("/*.csv")
    assert len(sent(made)[0]) == 1


def test_an_absolute_path_is_the_clusters_own(folder):
    path = write(folder, "data: {source: csv, path: /shared/load.csv, target: load}")
    made = prepare_submission(path)
    assert sent(made)[0] == set()
    assert sent(made)[1]["data"]["path"] == "/shared/load.csv"
    assert made.notes == ("data.path: /shared/load.csv is taken as the cluster's own path.",)
    made = prepare_submission(path, ["data.path=~/load.csv"])
    assert sent(made)[1]["data"]["path"] == "~/load.csv"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("data: {source: csv, path: ../typed/other.csv}", "must stay in the file's folder"),
        ("data: {source: csv, path: gone.csv}", "there is none at .*/gone.csv; a path of the clu"),
        ("data: {source: digits}\nsearch: {warm_start: [./old]}", "must name sweeps on the clust"),
        ("data: {source: digits}\nspace: {base: src/my.py:spice}", "has no function 'spice'"),
        ("data: {source: digits}\ncluster: {directory: sweeps}", "must be an absolute path there"),
        ("data: {source: digits, api_key: k}", "must hold no passwords, but data.api_key looks"),
        ("data: {source: digits, path: 's3://k:s@b'}", "must hold no passwords, but data.path lo"),
        ("data: {source: digits}\nsearch: {sampler: tpa}", "search.sampler must be one of"),
    ],
)
def test_mistakes_are_found_here(folder, text, says):
    with pytest.raises(Exception, match=says):
        prepare_submission(write(folder, text))


def test_the_cluster_gets_the_file_that_was_checked(folder, tmp_path):
    path = write(folder, "data: {source: digits}\nsearch: {warm_start: [first]}")
    made = prepare_submission(path, ["search.seed=7"], {"budget.trials": 3, "name": None})
    there = tmp_path / "there"
    there.mkdir()
    (there / "load.yaml").write_bytes(made.files["submitted/load.yaml"])
    config = load_config(there / "load.yaml")
    assert config.search.seed == 7
    assert config.budget.trials == 3
    assert config.search.warm_start == ("first",)


def test_sources_are_sent_unless_the_cluster_has_them(folder):
    path = write(folder, "data: {source: digits}")
    assert {"sweep/__main__.py", "sweep/presets/digits.yaml", "trainers/packs/pack.py"} <= set(
        prepare_submission(path).files
    )
    made = prepare_submission(path, installed=True)
    assert set(made.files) == {"submitted/load.yaml"}
    assert " submitted 0." not in made.entrypoint
    assert shlex.split(made.entrypoint)[4][0].isdigit()


def test_the_command_is_quoted_and_knows_the_clusters_home(folder):
    path = write(folder, "data: {source: digits}")
    assert prepare_submission(path).entrypoint == (
        "python -m cluster.place ~/rnn-sweeps/load/submitted && exec python -m sweep run "
        "~/rnn-sweeps/load/submitted/load.yaml --dir ~/rnn-sweeps"
    )
    made = prepare_submission(path, ["cluster.directory=/a b; rm -rf x"])
    assert "--dir '/a b; rm -rf x'" in made.entrypoint


class TestEnvironment:
    def test_only_addresses_are_sent(self, folder, monkeypatch):
        monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://tracker:5000")
        monkeypatch.setenv("RNN_SWEEP_LOG", "postgresql://me@db/sweeps")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
        path = write(folder, "data: {source: digits}")
        made = prepare_submission(path)
        assert made.environment == {
            "MLFLOW_TRACKING_URI": "http://tracker:5000",
            "RNN_SWEEP_LOG": "postgresql://me@db/sweeps",
        }
        made = prepare_submission(path, ["tracking.uri=http://other"], allow_open=True)
        assert made.environment == {
            "RNN_SWEEP_LOG": "postgresql://me@db/sweeps",
            "RNN_SWEEP_ALLOW_OPEN_CLUSTER": "1",
        }
        monkeypatch.setenv("RNN_SWEEP_ALLOW_OPEN_CLUSTER", "1")
        assert prepare_submission(path).environment["RNN_SWEEP_ALLOW_OPEN_CLUSTER"] == "1"

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("MLFLOW_TRACKING_URI", "http://me:hunter2@tracker"),
            ("MLFLOW_TRACKING_URI", "http://hunter2@tracker"),
            ("RNN_SWEEP_LOG", "postgresql://me:hunter2@db/sweeps"),
            ("RNN_SWEEP_LOG", "postgresql://me@db/sweeps?password=hunter2"),
        ],
    )
    def test_a_password_is_refused_and_not_shown(self, folder, monkeypatch, name, value):
        monkeypatch.setenv(name, value)
        path = write(folder, "data: {source: digits}")
        with pytest.raises(ConfigProblem, match=f"{name} must hold no password") as caught:
            prepare_submission(path)
        assert "hunter2" not in str(caught.value)

    def test_a_file_of_this_machine_stays_here(self, folder, monkeypatch):
        monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:////home/me/mlflow.db")
        made = prepare_submission(write(folder, "data: {source: digits}"))
        assert made.environment == {}
        assert "so it is not sent" in made.notes[0]

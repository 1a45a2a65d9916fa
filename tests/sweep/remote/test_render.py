"""`rnn-sweep render`: from a sweep file to a manifest, and every mistake in one line."""

import re

import pytest
import yaml

from sweep.__main__ import main
from sweep.config.sweep_config import validate
from tests.cluster.manifests import check, documents

SWEEP = """\
name: load
data: {source: csv, path: /mnt/sweeps/load.csv, target: load, input_steps: 4}
space:
  parameters: {cell: [lstm, gru], learning_rate: {low: 1e-4, high: 1e-2, log: true}}
run: {log: "postgresql://sweep@postgres/sweeps", address: "other:6379"}
tracking: {uri: "http://mlflow:5000"}
cluster:
  memory_gib: 2.0
  max_workers: 3
  deploy: {kubernetes: {postgres_secret: postgres}}
"""


@pytest.fixture
def spec(tmp_path):
    path = tmp_path / "load.yaml"
    path.write_text(SWEEP)
    return path


def refused(capsys, *words):
    assert main(["render", *map(str, words)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: ")
    return line


@pytest.mark.parametrize("target", ["kuberay", "slurm", "ray-up"])
def test_a_manifest_goes_to_standard_output_or_into_a_file(spec, tmp_path, capsys, target):
    assert main(["render", target, str(spec)]) == 0
    printed = capsys.readouterr().out
    assert main(["render", target, str(spec), "--output", str(tmp_path / "out")]) == 0
    assert (tmp_path / "out").read_text() == printed
    assert "load" in printed


def test_what_travels_is_the_sweep_itself(spec, capsys):
    options = ["--set", "budget.trials=7", "--name", "Load.2"]
    assert main(["render", "kuberay", str(spec), *options]) == 0
    config_map, *others = documents(capsys.readouterr().out)
    for document in (config_map, *others):
        check(document)
    (text,) = config_map["data"].values()
    config = validate(yaml.safe_load(text))
    assert (config.name, config.budget.trials, config.cluster.max_workers) == ("Load.2", 7, 3)
    assert config.run.address is None  # the manifest's own cluster
    assert config.space.parameters["cell"] == ["lstm", "gru"]
    assert config.run.log == "postgresql://sweep@postgres/sweeps"
    entrypoint = others[-1]["spec"]["entrypoint"]
    assert entrypoint == (
        "rnn-sweep run /sweep/Load.2.yaml --dir /mnt/sweeps --set run.address=auto"
    )


def test_a_complete_sweep_needs_no_notes_and_a_bare_one_is_told(spec, capsys):
    assert main(["render", "kuberay", str(spec)]) == 0
    assert capsys.readouterr().err == ""
    assert main(["render", "kuberay", "digits"]) == 0
    notes = capsys.readouterr().err.splitlines()
    assert [re.match(r"note: ([a-z.]+) is null", note).group(1) for note in notes] == [
        "run.log",
        "tracking.uri",
    ]


def test_a_function_of_ones_own_travels_with_the_sweep(spec, tmp_path, capsys):
    (tmp_path / "own.py").write_text("def load():\n    return 1\n")
    (tmp_path / "own.yaml").write_text("name: own\ndata: {source: own.py:load}\n")
    assert main(["render", "kuberay", str(tmp_path / "own.yaml")]) == 0
    config_map, *_ = documents(capsys.readouterr().out)
    assert config_map["data"]["own.py"] == "def load():\n    return 1\n"
    assert yaml.safe_load(config_map["data"]["own.yaml"])["data"]["source"] == "/sweep/own.py:load"


def test_ray_up_copies_what_lies_on_this_machine(tmp_path, capsys):
    (tmp_path / "near.yaml").write_text("name: near\ndata: {source: csv, path: [a.csv, b.csv]}\n")
    assert main(["render", "ray-up", str(tmp_path / "near.yaml"), "--set", "budget.trials=2"]) == 0
    printed = capsys.readouterr().out
    mounts = yaml.safe_load(printed)["file_mounts"]
    assert mounts["/home/ray/sweep/files/1-b.csv"] == str(tmp_path / "b.csv")
    folder = "/home/ray/sweep/files"
    assert "--set budget.trials=2" in printed
    assert re.search(rf"data.path=\[{folder}/0-a.csv, *{folder}/1-b.csv\]", printed)


def test_data_that_no_pod_would_find_are_refused(tmp_path, capsys):
    (tmp_path / "near.yaml").write_text("name: near\ndata: {source: csv, path: near.csv}\n")
    line = refused(capsys, "kuberay", tmp_path / "near.yaml")
    assert (
        f"data.path must lie on the disk that all pods mount, below /mnt/sweeps, but is {tmp_path}"
        in line
    )
    assert "--set data.path=/mnt/sweeps/near.csv" in line


@pytest.mark.parametrize(
    ("setting", "law"),
    [
        (
            "data.path=https://me:planted@host/load.csv",
            "a manifest must hold no passwords, but data.path looks like one or holds one",
        ),
        ("data.api_key=planted", "a manifest must hold no passwords, but data.api_key looks like"),
        ("run.log=postgresql://me@host/s?password=planted", "run.log must not hold a password"),
    ],
)
@pytest.mark.parametrize("target", ["kuberay", "slurm", "ray-up"])
def test_a_password_in_the_sweep_file_is_refused_and_not_repeated(
    spec, capsys, target, setting, law
):
    line = refused(capsys, target, spec, "--set", setting)
    assert law in line
    assert "planted" not in line


@pytest.mark.parametrize("target", ["kuberay", "slurm", "ray-up"])
def test_what_the_environment_keeps_secret_stays_there(spec, capsys, monkeypatch, target):
    for name in ("PGPASSWORD", "MLFLOW_TRACKING_PASSWORD", "RAY_AUTH_TOKEN", "RNN_SWEEP_LOG"):
        monkeypatch.setenv(name, "postgresql://me:planted@host/sweeps")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://me:planted@mlflow:5000")
    assert main(["render", target, str(spec), "--set", "tracking.uri=null"]) == 0
    captured = capsys.readouterr()
    assert "planted" not in captured.out + captured.err


def test_an_output_that_can_not_be_written_is_one_line(spec, tmp_path, capsys):
    assert "nowhere" in refused(capsys, "slurm", spec, "--output", tmp_path / "nowhere" / "out")


@pytest.mark.parametrize(
    ("target", "setting", "law"),
    [
        ("kuberay", "cluster.directory=/elsewhere", "must lie on the claim, below"),
        ("kuberay", "cluster.directory=/mnt/sweeps/../x", "must be an absolute path of letters"),
        ("slurm", "cluster.directory=/a b", "must be an absolute path of letters"),
        ("kuberay", "cluster.deploy.min_workers=9", r"must hold, but got \(9, 3\)"),
        ("kuberay", "cluster.deploy.kubernetes.claim=No_Claim", "kubernetes.claim must be made of"),
        ("slurm", "cluster.deploy.slurm.partition=$(reboot)", "slurm.partition must be"),
        ("slurm", 'cluster.deploy.slurm.setup=["a\\nb"]', "one line of printable text"),
        ("kuberay", "cluster.deploy.kubernetes.mount=sweeps", "kubernetes.mount must be"),
        ("kuberay", "cluster.deploy.kubernetes.mount=/mnt/$(reboot)", "kubernetes.mount must be"),
        ("ray-up", "cluster.deploy.image='x; reboot'", "deploy.image must be"),
        ("kuberay", "cluster.deploy.imag=x", "did you mean cluster.deploy.image"),
        ("ray-up", "cluster.deploy.cloud.provider=gcp", "cloud.project must be given"),
    ],
)
def test_a_mistake_is_one_line(spec, capsys, target, setting, law):
    assert re.search(law, refused(capsys, target, spec, "--set", setting))


def test_a_target_that_does_not_exist_is_one_line(spec, capsys):
    assert "kuberay" in refused(capsys, "nomad", spec)

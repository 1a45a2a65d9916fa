"""Sweeps submitted to a real cluster that asks for a token: let in, kept out, stopped, resumed."""

from __future__ import annotations

import json
import time

import grpc
import pytest
from ray.core.generated import gcs_service_pb2 as gcs

from cluster import jobs
from cluster.connect import connect
from cluster.dashboard import open_dashboard
from cluster.errors import AccessError, VersionError
from cluster.head import Versions
from sweep.__main__ import main
from sweep.results.results import open_results
from tests.integration.token_head import TOKEN, token_head

pytestmark = [pytest.mark.integration, pytest.mark.timeout(240)]
SWEEP = """
data: {source: csv, path: data/wave.csv, target: y, input_steps: 8, split: [0.7, 0.15, 0.15]}
space: {base: spaces.py:space, parameters: {num_layers: 1}}
train: {cell: rnn_tanh, batch_size: 16, max_epochs: 30}
search: {sampler: random}
budget: {trials: 6}
run: {workers: 1, checkpoint_seconds: 1}
tracking: {enabled: false}
"""
SPACE = """
def space(trial):
    return {"hidden_size": trial.suggest_int("hidden_size", 4, 8)}
"""


@pytest.fixture(scope="module")
def head():
    with token_head() as found:
        yield found


@pytest.fixture(autouse=True)
def _token(monkeypatch):
    for name in ("RAY_AUTH_MODE", "RAY_AUTH_TOKEN_PATH", "RAY_ADDRESS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("RAY_AUTH_TOKEN", TOKEN)


@pytest.fixture(scope="module")
def spec(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sweep")
    (folder / "data").mkdir()
    rows = "\n".join(f"{(n % 20) / 20},{(n % 7) / 7}" for n in range(1000))
    (folder / "data" / "wave.csv").write_text(f"x,y\n{rows}\n")
    (folder / "spaces.py").write_text(SPACE)
    (folder / "wave.yaml").write_text(SWEEP)
    return folder / "wave.yaml"


def run(capfd, *words):
    """Run a command in this process; return its exit code, and what it said."""
    capfd.readouterr()
    code = main([str(word) for word in words])
    said = capfd.readouterr()
    return code, said.out, said.err


@pytest.mark.parametrize(
    ("token", "says"), [("wrong", "refuses the one in RAY_AUTH_TOKEN"), (None, "asks for a token")]
)
def test_nobody_comes_in_without_the_token(head, spec, tmp_path, monkeypatch, capfd, token, says):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("RAY_AUTH_TOKEN")
    if token:
        monkeypatch.setenv("RAY_AUTH_TOKEN", token)
    for words in (("submit", spec), ("jobs",), ("logs", "wave")):
        code, _, err = run(capfd, *words, "--address", head.url)
        assert code == 2
        assert says in err
        assert err.count("\n") == 1
    with pytest.raises(AccessError, match=says):
        connect(head.address, cpus=1, data_bytes=0)
    assert capfd.readouterr().err == ""


def test_a_driver_of_another_version_is_told_both_sides(head, monkeypatch, capfd):
    stored = {"ray_version": "2.49.1", "python_version": "3.10.4"}
    before = swap_metadata(head, json.dumps(stored).encode())
    try:
        with pytest.raises(
            VersionError, match=r"runs Ray 2.49.1 on Python 3.10.4, and this is Ray"
        ):
            connect(head.address, cpus=1, data_bytes=0)
    finally:
        swap_metadata(head, before)
    monkeypatch.setattr(Versions, "ours", lambda: Versions("2.60.0", "3.99.0"))
    with pytest.raises(VersionError, match=r"and this is Ray 2.60.0 on Python 3.99.0"):
        connect(head.address, cpus=1, data_bytes=0)
    assert capfd.readouterr().err == ""


def swap_metadata(head, value):
    """Make the head say that it runs something else; return what it said before."""
    key, space = b"CLUSTER_METADATA", b"cluster"
    headers = [("authorization", f"Bearer {TOKEN}")]
    with grpc.insecure_channel(head.address) as channel:
        service = "/ray.rpc.InternalKVGcsService/InternalKV"
        asked = gcs.InternalKVGetRequest(key=key, namespace=space).SerializeToString()
        raw = channel.unary_unary(f"{service}Get")(asked, metadata=headers, timeout=10)
        put = gcs.InternalKVPutRequest(key=key, namespace=space, value=value, overwrite=True)
        channel.unary_unary(f"{service}Put")(put.SerializeToString(), metadata=headers, timeout=10)
    return gcs.InternalKVGetReply.FromString(raw).value


def test_a_sweep_is_submitted_stopped_and_submitted_again(head, spec, tmp_path, capfd):
    place = ["--address", head.url]
    words = ["submit", spec, *place, "--set", f"cluster.directory={tmp_path}"]
    code, out, err = run(capfd, *words)
    assert (code, err) == (0, "")
    assert "submitted: rnn-sweep-wave-1" in out

    code, _, err = run(capfd, *words)
    assert code == 2
    assert "runs once at a time" in err

    wait_for(lambda: "trial 0 complete" in run(capfd, "logs", "wave", *place)[1])
    code, out, _ = run(capfd, "stop", "wave", *place)
    assert (code, out) == (0, "rnn-sweep-wave-1 is stopped; submit it again to go on.\n")
    board = open_dashboard(head.url)
    assert jobs.latest(board, "wave").status == "STOPPED"
    assert "interrupted, nothing is lost" in run(capfd, "logs", "wave", *place)[1]
    stopped = {t.number: t.best for t in open_results("wave", tmp_path).trials if t.ended}
    assert 1 <= len(stopped) < 6

    code, out, err = run(capfd, *words, "--follow")
    assert code == 0
    assert "6 complete" in out
    assert "rnn-sweep-wave-2 has succeeded" in err
    found = open_results("wave", tmp_path)
    assert [found.status_of(trial) for trial in found.trials] == ["complete"] * 6
    assert {t.number: t.best for t in found.trials if t.number in stopped} == stopped
    assert all(t.attempt == 1 for t in found.trials if t.number in stopped)

    code, out, _ = run(capfd, "jobs", *place)
    assert [line.split()[1:3] for line in out.splitlines()[1:]] == [
        ["rnn-sweep-wave-1", "stopped"],
        ["rnn-sweep-wave-2", "succeeded"],
    ]


def wait_for(holds):
    deadline = time.monotonic() + 90
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.3)


def test_a_sweep_that_is_not_there_is_named_with_those_that_are(head, capfd):
    code, _, err = run(capfd, "logs", "wavy", "--address", head.url)
    assert code == 2
    assert "but got 'wavy'" in err

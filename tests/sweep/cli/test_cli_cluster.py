import pytest
import typer

from cluster.dashboard import Dashboard
from cluster.head import Versions
from cluster.jobs import Job
from sweep.cli import cluster as cli_cluster

BOARD = Dashboard("http://127.0.0.1:8265", False, Versions("2.60.0", "3.11.7"))
RUNS = Job("rnn-sweep-load-2", "load", 2, "RUNNING")


@pytest.mark.parametrize(
    ("status", "exit_code", "expected"),
    [
        ("SUCCEEDED", 0, None), ("FAILED", 2, 2), ("FAILED", 1, 1), ("FAILED", -9, 1),
        ("FAILED", None, 1), ("STOPPED", None, 130),
    ],
)  # fmt: skip
def test_following_ends_as_the_sweep_did(monkeypatch, capsys, status, exit_code, expected):
    def follow(board, job, write):
        write("2026-11-25 03:03:57,015\tINFO job_manager.py:581 -- Runtime env.\ntrial 0\n")
        return Job(job.submission_id, job.sweep, job.number, status, exit_code=exit_code)

    monkeypatch.setattr("cluster.jobs.follow", follow)
    if expected is None:
        cli_cluster._follow(BOARD, RUNS)
    else:
        with pytest.raises(typer.Exit) as caught:
            cli_cluster._follow(BOARD, RUNS)
        assert caught.value.exit_code == expected
    said = capsys.readouterr()
    assert said.out == "trial 0\n"
    assert said.err == f"rnn-sweep-load-2 has {status.lower()}.\n"


def test_ctrl_c_leaves_the_sweep_running_and_says_how_to_stop_it(monkeypatch, capsys):
    def follow(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("cluster.jobs.follow", follow)
    with pytest.raises(typer.Exit) as caught:
        cli_cluster._follow(BOARD, RUNS)
    assert caught.value.exit_code == 130
    assert "rnn-sweep stop load --address http://127.0.0.1:8265" in capsys.readouterr().err

"""`plan` says what a sweep would do, and writes nothing."""

import pytest

from sweep.__main__ import main
from tests.sweep.sweep_factory import closed, complete, write_sweep


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)


def run(capsys, *words):
    code = main(words)
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_plan_writes_nothing(capsys, tmp_path):
    code, out, _ = run(capsys, "plan", "smoke")
    assert code == 0
    assert "Sweep smoke: 4 trials" in out
    assert "1,078 sequences of 8 steps" in out
    assert "First estimate: about " in out
    assert "--packs measures" in out
    assert list(tmp_path.iterdir()) == []


def test_plan_names_inputs_and_outputs(capsys, tmp_path):
    rows = "".join(f"{n},{n % 7},{n % 5}\n" for n in range(200))
    (tmp_path / "load.csv").write_text("time,load,heat\n" + rows)
    data = [
        "source=csv",
        f"path={tmp_path}/load.csv",
        "target=load",
        "units=MW",
        "time_column=null",
    ]
    data += ["inputs=[load, heat]", "input_steps=8", "steps_ahead=1"]
    words = [word for option in data for word in ("--set", f"data.{option}")]
    code, out, err = run(capsys, "plan", "smoke", *words)
    assert (code, err) == (0, "")
    assert "  2 inputs: load, heat\n  1 output: load in MW\n" in out


def test_plan_says_that_a_sweep_would_go_on(capsys, tmp_path):
    write_sweep(tmp_path / "sweeps", *complete(0, {"cell": "gru"}, 0.5), closed())
    _, out, _ = run(capsys, "plan", "smoke", "--name", "demo")
    assert "goes on with the sweep in sweeps/demo" in out
    _, out, _ = run(capsys, "plan", "smoke", "--name", "demo", "--dir", "elsewhere")
    assert "goes on" not in out


@pytest.mark.parametrize(("share", "said"), [(0.08, True), (0.09, False)])
def test_plan_says_that_the_interval_needs_more_validation(capsys, tmp_path, share, said):
    (tmp_path / "load.csv").write_text("load\n" + "".join(f"{n % 7}\n" for n in range(100)))
    (tmp_path / "s.yaml").write_text(
        "data: {source: csv, path: load.csv, target: load, input_steps: 2, "
        f"split: [0.8, {share}, {0.2 - share:.2f}]}}\n"
    )
    code, out, err = run(capsys, "plan", "s.yaml")
    assert (code, err) == (0, "")
    assert ("needs 9 validation targets a step, but there are 8" in out) is said


def test_plan_tells_of_choices_of_data_as_they_are_written(capsys, tmp_path):
    rows = "".join(f"{n % 7},{n % 5}\n" for n in range(200))
    (tmp_path / "load.csv").write_text("load,heat\n" + rows)
    (tmp_path / "s.yaml").write_text(
        "data: {source: csv, path: load.csv, target: load}\n"
        "space: {parameters: {data.inputs: [[load], [load, heat]], data.stride: [2, 3]}}\n"
    )
    code, out, err = run(capsys, "plan", "s.yaml")
    assert (code, err) == (0, "")
    assert "  the first of 4 choices of data.inputs and data.stride, all judged on the same" in out
    assert "  note: validation: judged on the 5 targets that all choices have; up to 10 left" in out
    assert "data.inputs=[load, heat] " in out


def test_of_long_sequences_and_streams_a_piece_is_timed(capsys, tmp_path, monkeypatch):
    timed = []

    def once(network, inputs):
        timed.append(tuple(inputs.shape[:2]))
        return 0.5

    monkeypatch.setattr("sweep.running.plan._once", once)
    (tmp_path / "input.txt").write_text("To be, or not to be.\n" * 400)
    (tmp_path / "s.yaml").write_text(
        "data: {source: text, path: input.txt}\n"
        "space: {base: null, parameters: {hidden_size: [4, 8]}}\n"
        "train: {readout: every, batch_size: 4, tbptt_forward_steps: 50, max_epochs: 2}\n"
        "budget: {trials: 1}\n"
    )
    code, out, err = run(capsys, "plan", "s.yaml")
    assert (code, err) == (0, "")
    assert set(timed) == {(4, 50)}
    # 7,559 steps of training and 839 / 3 of validation, at 0.5 s for 200, two epochs: 39 s.
    assert "First estimate: about 39" in out


def test_a_long_sequence_is_timed_by_its_beginning(capsys, tmp_path, monkeypatch):
    timed = []
    monkeypatch.setattr(
        "sweep.running.plan._once", lambda network, inputs: timed.append(inputs.shape[1]) or 0.1
    )
    words = ("--set", "data.source=adding", "--set", "data.length=700", "--trials", "1")
    code, _, err = run(capsys, "plan", "smoke", *words)
    assert (code, err) == (0, "")
    assert set(timed) == {256}

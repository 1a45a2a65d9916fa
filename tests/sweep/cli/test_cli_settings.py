import json

import pytest

from sweep.__main__ import main


def shown(capsys, *arguments):
    assert main(["settings", *arguments]) == 0
    return capsys.readouterr().out


def test_all_keys_are_listed_with_default_unit_and_meaning(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "160")
    lines = shown(capsys).splitlines()
    (line,) = [line for line in lines if line.split()[:1] == ["train.patience"]]
    assert line.split()[1:3] == ["null", "epochs"]
    assert "epochs without a better objective" in line
    assert any(line.split() == ["train:", "truncated", "BPTT"] for line in lines)


def test_a_training_setting_is_shown_with_laws_pack_and_examples(capsys):
    text = shown(capsys, "zoneout_cell")
    for part in (
        "train.zoneout_cell: keeps old values of c",
        "a number >= 0 and < 1",
        "free: trials of one pack may differ in it",
        "zoneout_cell needs a cell with c",
        "train: {zoneout_cell: 0.5}",
        "space.parameters: {zoneout_cell: {low: 0.0, high: 0.5}}",
    ):
        assert part in text
    assert "structural: " in shown(capsys, "cell")


def test_a_key_of_another_section_is_shown_with_an_example(capsys):
    text = shown(capsys, "run.workers")
    assert "a whole number >= 1 or auto" in text
    assert "--set run.workers=auto" in text


def test_json_holds_the_same(capsys):
    every = json.loads(shown(capsys, "--format", "json"))
    assert {"train.cell", "run.workers"} <= {key["name"] for key in every}
    (one,) = json.loads(shown(capsys, "nesterov", "--format", "json"))
    assert one["laws"] == ["nesterov needs momentum > 0"]
    assert one["structural"] is False


@pytest.mark.parametrize("format", ["text", "json"])
def test_a_misspelt_name_is_one_line_and_exit_code_2(capsys, format):
    assert main(["settings", "learning_rat", "--format", format]) == 2
    error = capsys.readouterr().err
    assert "did you mean train.learning_rate?" in error
    assert error.count("\n") == 1

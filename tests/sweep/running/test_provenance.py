"""What a session says of itself."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from sweep.config.sweep_config import validate
from sweep.log.kinds import DataFacts, Opened
from sweep.running import provenance
from sweep.running.preparation import prepare
from sweep.running.provenance import (
    commit,
    data_facts,
    earlier_code,
    machine,
    space_facts,
    versions,
)


def test_versions_name_what_figures_depend_on():
    assert {"python", "torch", "ray", "optuna", "mlflow"} <= set(versions())


def test_a_folder_that_is_not_our_repository_has_no_commit(tmp_path: Path):
    assert commit(tmp_path) is None
    (tmp_path / "provenance.py").write_text("")
    subprocess.run(["git", "-C", str(tmp_path), "init", "-q"], check=True)
    assert commit(tmp_path) is None  # somebody's repository, in which our file is not tracked


def test_a_commit_says_when_the_code_was_edited_since(tmp_path: Path):
    def git(*words: str) -> str:
        who = ["-c", "user.name=a", "-c", "user.email=a@b.c"]
        command = ["git", "-C", str(tmp_path), *who, *words]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    file = tmp_path / "provenance.py"
    file.write_text("one")
    git("init", "-q")
    git("add", ".")
    git("commit", "-q", "-m", "first")
    head = git("rev-parse", "HEAD")
    assert commit(tmp_path) == head
    file.write_text("two")
    assert commit(tmp_path) == f"{head}+changes"


def test_data_and_space_are_plain_values():
    config = validate(
        {
            "name": "small",
            "data": {"source": "digits"},
            "space": {"parameters": {"cell": ["lstm", "gru"], "learning_rate": 0.01}},
            "train": {"max_epochs": 2},
        }
    )
    prepared = prepare(config)
    data, space = data_facts(prepared.choices), space_facts(prepared.space)
    assert data.name == "digits"
    assert len(data.digest) == 64
    assert set(data.parts) == {"train", "validation", "test"}
    assert sum(part.sequences for part in data.parts.values()) == 1797
    assert space.name == "recurrent"
    assert space.parameters["cell"] == {"choices": ["lstm", "gru"]}
    hidden = space.parameters["hidden_size"]
    assert hidden["low"] < hidden["high"]
    assert machine()["cores"] >= 1


@pytest.mark.parametrize(
    ("begun", "release", "said"),
    [
        ("a" * 40, "1", ""),
        ("b" * 40, "1", ", go on with the code that began it (commit bbbbbbb)"),
        (None, "1", ""),
        (None, "0", ", go on with the code that began it (rnn-sweep 0)"),
    ],
)
def test_a_sweep_of_other_code_says_which(
    monkeypatch: pytest.MonkeyPatch, begun: str | None, release: str, said: str
):
    monkeypatch.setattr(provenance, "commit", lambda: "a" * 40)
    monkeypatch.setattr(provenance, "versions", lambda: {"rnn-sweep": "1"})
    first = Opened(
        pid=1,
        host="h",
        workers=1,
        order="free",
        resumed=False,
        versions={"rnn-sweep": release},
        commit=begun,
        data=DataFacts("d", "regression", "0", {}, ""),
        objectives=(),
    )
    assert earlier_code(first) == said

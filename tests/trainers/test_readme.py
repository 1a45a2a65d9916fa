"""The folder's README can't lie: its examples run, its files and its tests exist."""

from __future__ import annotations

import re
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "trainers"
README = (FOLDER / "README.md").read_text()


def test_the_examples_run_in_their_order(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for example in re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL):
        exec(compile(example, "trainers/README.md", "exec"), names)
    assert {"report", "state", "network"} <= set(names)


def test_every_file_in_its_table_exists():
    named = set(re.findall(r"`([a-z0-9_]+\.py)`", README))
    own = {name for name in named if not name.startswith("test_")}
    assert own
    assert not {name for name in own if not any(FOLDER.rglob(name))}


def test_every_test_that_is_named_exists():
    written = "".join(path.read_text() for path in Path(__file__).parent.rglob("test_*.py"))
    named = set(re.findall(r"`(test_[a-z0-9_]+)`", README))
    assert not {name for name in named if f"def {name}(" not in written}
    files = set(re.findall(r"`(test_[a-z0-9_]+\.py)`", README))
    assert all(any(Path(__file__).parent.rglob(file)) for file in files)

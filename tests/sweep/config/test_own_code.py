"""`path.py:function`: one importer for sources and spaces, and one line for what goes wrong."""

import textwrap

import pytest

from sweep.config.own_code import own_function
from sweep.errors import ConfigProblem
from tests.sweep.session_runs import fold, run

OWN = """
    from __future__ import annotations
    from dataclasses import dataclass

    @dataclass
    class Shape:
        rows: int = 3

    def rows(count=Shape().rows):
        return count

    def divide():
        return 1 / 0
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "own.py").write_text(textwrap.dedent(OWN))
    return tmp_path


def test_a_function_is_called_with_its_arguments(folder):
    assert own_function("data.source", "own.py:rows", folder)() == 3
    assert own_function("data.source", f"{folder}/own.py:rows", folder)(count=5) == 5


def test_what_is_no_function_is_left_alone(folder):
    assert own_function("space.base", None, folder) is None
    assert own_function("space.base", "recurrent", folder) is None
    assert own_function("data.source", "package.module:SOURCE", folder) is None


def test_importing_leaves_nothing_behind_and_a_changed_file_is_read_anew(folder):
    own_function("data.source", "own.py:rows", folder)
    assert [path.name for path in folder.iterdir()] == ["own.py"]
    (folder / "own.py").write_text("def rows(): return 7")
    assert own_function("data.source", "own.py:rows", folder)() == 7


@pytest.mark.parametrize(
    ("text", "file", "message"),
    [
        ("no.py:f", "", r"data\.source must name a file, but there is no file .*no\.py\."),
        ("own.py:f", OWN, r"but it has no function 'f'; it has: Shape, divide, rows\."),
        ("own.py:f", "x = 1\ny = x / 0\n", r"data\.source fails at own\.py:2: ZeroDivisionError: "),
        ("own.py:f", "x = 1\ndef f(:\n", r"fails at own\.py:2: SyntaxError: "),
        ("own.py:divide", OWN, r"fails at own\.py:13: ZeroDivisionError: division by zero"),
    ],
)
def test_what_goes_wrong_is_one_line_with_file_and_line(tmp_path, text, file, message):
    (tmp_path / "own.py").write_text(textwrap.dedent(file))
    with pytest.raises(ConfigProblem, match=message) as caught:
        own_function("data.source", text, tmp_path)()
    assert "\n" not in str(caught.value)


def test_a_sweep_of_an_own_source_and_an_own_space(tmp_path, monkeypatch):
    (tmp_path / "mine.py").write_text(
        "import numpy as np\n"
        "def load(rows):\n"
        "    part = {'inputs': np.ones((rows, 4, 2)), 'targets': np.ones((rows, 4, 1))}\n"
        "    return {'task': 'regression', 'train': part, 'validation': part}\n"
        "def space(trial):\n"
        "    return {'hidden_size': trial.suggest_int('hidden_size', 2, 4)}\n"
        "def bad(trial):\n\n"
        "    return {}['no']\n"
    )
    monkeypatch.chdir(tmp_path)
    data, base = {"source": "mine.py:load", "rows": 20}, {"base": "mine.py:space"}
    run(tmp_path, data=data, space=base, train={"max_epochs": 1}, budget={"trials": 2})
    assert all(2 <= t.params["hidden_size"] <= 4 for t in fold(tmp_path).trials.values())
    with pytest.raises(ConfigProblem, match=r"space\.base fails at mine\.py:9: KeyError: 'no'"):
        run(tmp_path / "other", data=data, space={"base": "mine.py:bad"})

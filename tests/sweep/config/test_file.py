"""Sweep files are read as YAML, `--set` changes them; what can't be read is one line."""

from pathlib import Path

import pytest

from sweep.config.file import apply_overrides
from sweep.config.sweep_config import load_config
from sweep.errors import ConfigProblem

BOMB = "a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 12)
)


def write(folder: Path, text: str, name: str = "my.yaml") -> Path:
    path = folder / name
    path.write_text(text)
    return path


class TestFiles:
    def test_scientific_notation_is_a_number(self, tmp_path):
        path = write(
            tmp_path,
            "data: {source: digits}\n"
            "space: {parameters: {learning_rate: {low: 1e-4, high: 1E-2, log: true}}}\n",
        )
        assert load_config(path).space.parameters["learning_rate"] == {
            "low": 0.0001,
            "high": 0.01,
            "log": True,
        }

    def test_a_file_without_a_name_bears_its_own(self, tmp_path):
        path = write(tmp_path, "data: {source: digits}", "first.yaml")
        assert load_config(path).name == "first"
        assert load_config(path, options={"name": "other"}).name == "other"

    @pytest.mark.parametrize(
        ("text", "says"),
        [
            ("data: {source: digits", "must be YAML, but line "),
            ("- 1\n- 2\n", "must hold a mapping (name:, data:, …), but holds a list."),
            ("", "but holds nothing."),
            ("name: a\nname: b\n", "'name' is repeated at line 2."),
            ("name: 2026-02-30", "must be YAML of plain values, but day"),
            (f"seed: {'1' * 5000}", "must be YAML of plain values, but Exceeds the limit"),
            ("data: " + "[" * 3000, "must be YAML of plain values, but maximum recursion"),
            ("data: !!bool maybe", "must be YAML of plain values, but 'maybe'"),
            ("data: !!int ''", "must be YAML of plain values, but string index"),
            ("data: &me [*me]", "must stand for at most 100,000 values"),
            (BOMB, "must stand for at most 100,000 values"),
        ],
    )
    def test_a_file_that_is_no_sweep_is_refused(self, tmp_path, text, says):
        with pytest.raises(ConfigProblem) as caught:
            load_config(write(tmp_path, text))
        assert says in str(caught.value)
        assert "\n" not in str(caught.value)

    def test_aliases_and_merged_sections_are_written_out(self, tmp_path):
        text = """
data: {source: digits}
space:
  base: null
  parameters:
    learning_rate: &range {low: 1.0e-4, high: 1.0e-2, log: true}
    weight_decay: {<<: *range, low: 1.0e-6}
"""
        space = load_config(write(tmp_path, text)).space.parameters
        assert space["weight_decay"] == {"low": 1e-6, "high": 1e-2, "log": True}

    def test_neither_file_nor_preset(self):
        with pytest.raises(ConfigProblem, match=r"preset \(adding, .*but got 'nowhere.yaml'"):
            load_config("nowhere.yaml")

    def test_python_tags_are_refused(self, tmp_path):
        with pytest.raises(ConfigProblem, match="could not determine a constructor"):
            load_config(write(tmp_path, "name: !!python/object/apply:os.getcwd []"))

    def test_paths_are_relative_to_the_file(self, tmp_path):
        path = write(
            tmp_path,
            "data: {source: my.py:load, path: series.csv}\n"
            "space: {base: my.py:space}\n"
            "search: {warm_start: [old/first]}\n",
        )
        config = load_config(path)
        here = tmp_path.resolve()
        assert config.data.source == f"{here}/my.py:load"
        assert config.data.options["path"] == f"{here}/series.csv"
        assert config.space.base == f"{here}/my.py:space"
        assert config.search.warm_start == (f"{here}/old/first",)

    def test_a_bare_name_to_warm_from_is_a_sweep_in_dir(self, tmp_path):
        (tmp_path / "beside").mkdir()
        path = write(tmp_path, "data: {source: digits}\nsearch: {warm_start: [first, beside]}")
        here = tmp_path.resolve()
        assert load_config(path).search.warm_start == ("first", f"{here}/beside")

    def test_paths_in_overrides_are_relative_to_the_working_directory(self, tmp_path, monkeypatch):
        (tmp_path / "a").mkdir()
        path = write(tmp_path / "a", "data: {source: csv, path: series.csv}")
        monkeypatch.chdir(tmp_path)
        config = load_config(path, ["data.path=other.csv"])
        assert config.data.options["path"] == str(tmp_path.resolve() / "other.csv")


class TestOverrides:
    def test_values_are_yaml_and_sections_are_made(self, tmp_path):
        path = write(tmp_path, "data: {source: digits}")
        config = load_config(
            path,
            [
                "budget.trials=7",
                "search.pruning.rule=median",
                "space.parameters.cell=[gru, lstm]",
                "train.tbptt_forward_steps=null",
            ],
        )
        assert config.budget.trials == 7
        assert config.search.pruning.rule == "median"
        assert config.space.parameters == {"cell": ["gru", "lstm"]}
        assert config.train == {"tbptt_forward_steps": None}

    def test_options_of_an_option_of_the_data_are_set_one_by_one(self, tmp_path):
        path = write(tmp_path, "data: {source: csv, path: t.csv, reading: {quote: ''}}")
        sets = ["data.reading.separator=;", 'data.reading.missing_values=["?", -9999]']
        assert load_config(path, sets).data.options["reading"] == {
            "quote": "",
            "separator": ";",
            "missing_values": ["?", -9999],
        }

    def test_an_option_wins_over_an_override(self, tmp_path):
        path = write(tmp_path, "data: {source: digits}")
        config = load_config(path, ["budget.trials=7"], {"budget.trials": 9, "name": None})
        assert config.budget.trials == 9

    @pytest.mark.parametrize(
        ("override", "says"),
        [
            ("budget.trials", "--set must be given as a.b=value, but got 'budget.trials'."),
            ("budget..trials=3", "--set must be given as a.b=value"),
            ("data.source.kind=3", "data.source must be a section, but is 'digits'"),
            ("budget.trails=3", "budget.trails is not a known key; did you mean budget.trials?"),
            ("run.workers=[1", "the value of --set run.workers must be YAML"),
        ],
    )
    def test_a_bad_override_names_its_path(self, tmp_path, override, says):
        path = write(tmp_path, "data: {source: digits}")
        with pytest.raises(ConfigProblem) as caught:
            load_config(path, [override])
        assert says in str(caught.value)


def test_a_times_format_may_be_set_as_it_is_written():
    values = {}
    apply_overrides(values, ["data.time_format=%d/%m/%Y %H:%M", "data.input_steps=3"])
    assert values == {"data": {"time_format": "%d/%m/%Y %H:%M", "input_steps": 3}}

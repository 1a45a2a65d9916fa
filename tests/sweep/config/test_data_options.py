"""Options of the data among a space's parameters, as files, `--set` and Optuna have them."""

import pytest
import yaml

from search_spaces import build_space
from sweep.config.data_options import drawable, drawable_point, spelled, structural_params
from sweep.config.sweep_config import load_config
from sweep.errors import ConfigProblem
from sweep.search.data_dimensions import DataDimensions
from trainers.errors import ConfigError

SPEC = "data: {source: csv, path: a.csv, target: y}\nspace: {base: null, parameters: {cell: [gru]}}"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (["load", "temp"], "[load, temp]"),
        ([], "[]"),
        (["1", "a b"], "['1', a b]"),
        ({"load": "linear"}, "{load: linear}"),
        ("load", "load"),
        (24, 24),
        (None, None),
    ],
)
def test_a_list_is_drawn_as_text_that_reads_as_yaml(value, text):
    assert spelled(value) == text
    assert not isinstance(value, list | dict) or yaml.safe_load(text) == value


def test_only_options_of_the_data_are_changed():
    given = {"data.inputs": [["a"], ["a", "b"]], "cell": ["gru"], "data.stride": {"choices": [1]}}
    assert drawable(given) == {
        "data.inputs": ["[a]", "[a, b]"], "cell": ["gru"], "data.stride": [1],
    }  # fmt: skip
    assert drawable_point({"data.inputs": ["a"], "cell": "gru"}) == {
        "data.inputs": "[a]", "cell": "gru",
    }  # fmt: skip


def test_they_are_part_of_a_trials_structure():
    params = {"data.inputs": "[a]", "cell": "gru", "learning_rate": 0.1}
    assert structural_params(params) == {"data.inputs": "[a]", "cell": "gru"}


def test_set_reaches_them_by_their_dotted_name(tmp_path):
    (tmp_path / "s.yaml").write_text(SPEC)
    config = load_config(tmp_path / "s.yaml", ["space.parameters.data.input_steps=[4, 8]"])
    assert config.space.parameters == {"cell": ["gru"], "data.input_steps": [4, 8]}


def test_no_text_among_them_leads_out_of_the_files_folder(tmp_path):
    (tmp_path / "s.yaml").write_text(SPEC.replace("[gru]", "[gru], data.inputs: [../x, y]"))
    with pytest.raises(ConfigProblem, match=r"must stay in the file's folder, but data\.inputs"):
        load_config(tmp_path / "s.yaml")


def test_what_is_drawn_comes_back_as_it_was_written():
    written = {
        "data.inputs": [["a"], ["a", "b"], "b", None],
        "data.input_steps": {"low": 4, "high": 12, "step": 4},
        "data.stride": 2,
        "cell": ["gru"],
    }
    dimensions = DataDimensions.of(written)
    assert dimensions.values == {
        "inputs": (["a"], ["a", "b"], "b", None), "input_steps": (4, 8, 12), "stride": (2,),
    }  # fmt: skip
    space = build_space(None, drawable(written))
    for seed in range(20):
        drawn = space.sample(seed)
        options = dimensions.options(drawn)
        assert spelled(options["inputs"]) == drawn["data.inputs"]
        assert options["input_steps"] in (4, 8, 12)
        assert options["stride"] == 2
    assert dimensions.options({"data.inputs": "[a, b]"}) == {"inputs": ["a", "b"]}


@pytest.mark.parametrize("drawn", [{"data.stride": 3}, {"data.stride": True}, {"data.drop": "a"}])
def test_what_was_not_named_beforehand_is_refused(drawn):
    with pytest.raises(ConfigError, match=r"space\.parameters must list every choice of data"):
        DataDimensions.of({"data.stride": [1, 2]}).options(drawn)


@pytest.mark.parametrize(
    "written",
    [{"low": 4, "high": 64, "log": True}, {"low": 0.1, "high": 0.9}],
)
def test_a_range_without_end_is_refused(written):
    with pytest.raises(ConfigProblem, match=r"data\.x must name a finite number of choices"):
        DataDimensions.of({"data.x": written})

"""The README of the search spaces does not lie."""

from __future__ import annotations

import re
import runpy
from pathlib import Path
from typing import Any

import pytest
import yaml

from search_spaces import build_space, get_space, space_names
from sweep.config.data_options import drawable

TEXT = (Path(__file__).parents[2] / "search_spaces" / "README.md").read_text()
BLOCKS = [yaml.safe_load(block)["space"] for block in re.findall(r"```yaml\n(.*?)```", TEXT, re.S)]


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: str(block["base"]))
def test_every_example_is_a_space(block: dict[str, Any]) -> None:
    sample = build_space(block["base"], drawable(block["parameters"])).sample(0)
    assert set(block["parameters"]) <= set(sample)


def test_the_function_of_the_readme_is_a_space(tmp_path: Path) -> None:
    path = tmp_path / "my_space.py"
    path.write_text(re.findall(r"```python\n(.*?)```", TEXT, re.S)[0])
    own = build_space("my_space.py:space", {}, runpy.run_path(str(path))["space"])
    assert all({"cell", "learning_rate"} <= set(own.sample(seed)) for seed in range(5))


@pytest.mark.parametrize("name", space_names())
def test_the_table_lists_the_parameters_of_every_ready_space(name: str) -> None:
    row = re.search(rf"^\| `{name}` \| ([\w, ]+)", TEXT, re.M)
    assert row is not None
    assert row[1].strip().split(", ") == list(get_space(name).sample(0))

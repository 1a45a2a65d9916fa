"""The registry of sources: names, options and cheap imports."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from trainers.data import SOURCES, load_data
from trainers.data.options import describe_class
from trainers.errors import DataError


def test_our_own_sources_are_listed() -> None:
    assert tuple(SOURCES) == (
        *("adding", "appliances", "copy", "csv", "digits", "digits-pixels", "pairs"),
        *("sentiment", "sequences", "shakespeare", "shapes", "table", "text", "tokens", "vowels"),
    )


@pytest.mark.parametrize("source", tuple(SOURCES))
def test_every_option_says_what_it_means(source: str) -> None:
    described = describe_class(SOURCES[source].options)
    assert described
    assert all(option.meaning and option.kind for option in described)


def test_only_options_without_default_are_required() -> None:
    assert [o.name for o in describe_class(SOURCES["csv"].options) if o.required] == [
        "path",
        "target",
    ]


def test_options_that_name_files_say_so() -> None:
    declared = {name: source.path_options for name, source in SOURCES.items()}
    assert {name: paths for name, paths in declared.items() if paths} == {
        **dict.fromkeys(("appliances", "sentiment", "shakespeare", "vowels"), ("path",)),
        **dict.fromkeys(("csv", "text", "tokens"), ("path", "test_path")),
        "pairs": ("path", "answers_path", "test_path"),
        "sequences": ("path", "validation_path", "test_path"),
        "table": (
            *("path", "folder", "labels", "validation_path", "validation_labels"),
            *("test_path", "test_labels"),
        ),
    }


@pytest.mark.parametrize(
    ("source", "options", "message"),
    [
        ("digit", {}, "got 'digit'; did you mean digits.; a function of your own is path"),
        ("", {}, "data.source must be one of adding"),
        ("own.py", {}, "got 'own.py'"),
        ("digits", {"sed": 1}, "no option 'sed'; did you mean 'seed'"),
        ("digits", {"seed": True}, "data.seed must be a whole number, but got True"),
        ("digits", {"seed": 1.0}, "data.seed must be a whole number, but got 1.0"),
        ("digits", {"split": [0.6, "a", 0.2]}, "data.split must be a list, each item a number"),
        ("csv", {"target": "y"}, "needs the option 'path'"),
        ("adding", {"min_length": "x"}, "data.min_length must be a whole number or null, but got"),
    ],
)
def test_a_wrong_source_or_option_gives_one_clear_line(
    source: str, options: dict[str, object], message: str
) -> None:
    with pytest.raises(DataError, match=message) as caught:
        load_data(source, options, base_dir=Path())
    assert "\n" not in str(caught.value)


def test_importing_the_registry_costs_neither_torch_nor_pandas_nor_scikit_learn() -> None:
    code = (
        "import sys, trainers.data as d; [d.SOURCES[name] for name in d.SOURCES];"
        "print([m for m in ('torch', 'pandas', 'sklearn') if m in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"

"""The documentation can't lie: its commands and options exist, its YAML loads."""

import re
import shlex
from importlib import import_module
from pathlib import Path

import pytest
import typer
import yaml

from sweep.cli.app import app
from sweep.config.sweep_config import SweepConfig, load_config
from tests.write_tables import PARTS, written
from trainers.registry import load_object

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("cluster", "search_spaces", "sweep", "tests", "trainers")
README, SWEEP, CLI = (ROOT / folder / "README.md" for folder in ("", "sweep", "sweep/cli"))
PAGES = [README, *(page for name in PACKAGES for page in sorted((ROOT / name).rglob("README.md")))]
COMMANDS = typer.main.get_command(app).commands


def blocks(page, language):
    return re.findall(rf"```{language}\n(.*?)```", page.read_text(), flags=re.DOTALL)


def options_of(name):
    return {option for parameter in COMMANDS[name].params for option in parameter.opts}


def shell_lines():
    for page in PAGES:
        for block in blocks(page, "sh"):
            for line in block.splitlines():
                words = shlex.split(line, comments=True)
                if "rnn-sweep" in words[:1]:
                    end = words.index("|") if "|" in words else None  # what follows is not ours
                    yield " ".join(words[:end])


@pytest.mark.parametrize("line", list(shell_lines()))
def test_every_command_in_a_shell_block_can_be_typed(line):
    _, name, *words = shlex.split(line)
    assert name in COMMANDS
    assert {word for word in words if word.startswith("-")} <= options_of(name)


def test_the_table_of_commands_is_complete_and_right():
    rows = re.findall(r"^\| `rnn-sweep (\w+)[^|]*\|(.*)\|$", CLI.read_text(), re.MULTILINE)
    assert [name for name, _ in rows] == list(dict.fromkeys(["run", "resume", "plan", *COMMANDS]))
    for name, text in rows:
        assert set(re.findall(r"--[a-z-]+", text)) <= options_of(name), name


@pytest.mark.parametrize("verb", re.findall(r"(?m)(?:^|`)make ([a-z-]+)", README.read_text()))
def test_every_make_verb_exists(verb):
    assert re.search(rf"^{verb}:", (ROOT / "Makefile").read_text(), re.MULTILINE)


def test_the_first_own_sweep_loads(tmp_path):
    (block,) = blocks(README, "yaml")
    path = tmp_path / "load.yaml"
    path.write_text(block)
    config = load_config(path)
    assert config.name == "load"
    assert config.data.options["path"] == str(tmp_path.resolve() / "load.csv")


def test_the_reference_shows_every_key_with_its_default():
    (block,) = blocks(SWEEP, "yaml")
    shown = SweepConfig.model_validate(yaml.safe_load(block))
    assert shown == SweepConfig.model_validate({"name": "my-sweep", "data": {"source": "digits"}})
    assert set(keys(yaml.safe_load(block))) == set(keys(shown.model_dump(mode="json")))


def keys(values, prefix=""):
    for name, value in values.items():
        yield prefix + name
        if isinstance(value, dict):
            yield from keys(value, f"{prefix}{name}.")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.parent.relative_to(ROOT)))
def test_every_link_leads_to_a_file(page):
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text()):
        assert (page.parent / target).exists(), target


def test_every_room_is_in_its_packages_table():
    for package in ("sweep", "trainers"):
        table = (ROOT / package / "README.md").read_text()
        rooms = [path.name + "/" for path in (ROOT / package).iterdir() if path.is_dir()]
        files = [path.name for path in (ROOT / package).glob("[a-z]*.py")]
        for name in (*rooms, *files):
            assert name == "__pycache__/" or f"`{name}" in table, f"{package}/{name}"


@pytest.mark.parametrize(("page", "name"), PARTS)
def test_what_is_read_off_the_code_is_as_the_code_has_it(page, name):
    text = (ROOT / page).read_text()
    assert written(text, name, PARTS[page, name]()) == text, "run python -m tests.write_tables"


@pytest.mark.parametrize("name", list(COMMANDS))
def test_the_help_of_every_command_has_an_example(name):
    if name == "resume":
        name = "run"
    assert f"rnn-sweep {name}" in (COMMANDS[name].help or "")


@pytest.mark.parametrize(
    ("file", "test"),
    re.findall(r"`([\w/*]+\.py)`(?:: `(\w+)`)?", (ROOT / "tests" / "README.md").read_text()),
)
def test_every_test_that_holds_a_feature_is_there(file, test):
    found = list((ROOT / "tests").glob(file))
    assert found
    assert all(test in path.read_text() for path in found)


def test_a_trials_way_names_what_is_there():
    way = SWEEP.read_text().partition("## A trial's way")[2].partition("\n## ")[0]
    named = re.findall(r"`([\w./]+\.py):(\w+)`", way)
    assert len(named) > 20
    for file, name in named:
        text = (SWEEP.parent / file).read_text()
        assert re.search(rf"^(class|def) {name}\b", text, re.MULTILINE), f"{file}:{name}"


def test_the_table_of_what_to_touch_names_every_registry_and_what_holds_it():
    table = SWEEP.read_text().partition("## To add a …, touch …")[2]
    rows = [row.split("|")[1:-1] for row in table.splitlines() if row.startswith("| ")][1:]
    groups = set()
    for package in ("sweep", "trainers"):
        for path in (ROOT / package).rglob("*.py"):
            groups |= set(re.findall(r"Registry\(\s*\"(rnn_sweep\.\w+)\"", path.read_text()))
    assert {word for row in rows for word in re.findall(r"`(rnn_sweep\.\w+)`", row[3])} == groups
    for row in rows:
        for file in re.findall(r"`([\w/]+\.py)`", row[2]):
            assert (ROOT / file).is_file(), file
        for place in re.findall(r"`([\w.]+)`", row[4]):
            module, _, check = place.rpartition(".")
            held = load_object(f"{module}:{check}") if "check_" in check else import_module(place)
            assert callable(held) or held.CHECKS

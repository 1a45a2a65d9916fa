"""A package adds a source: its options, its paths, and no way out of the sweep file's folder."""

import pytest

from sweep.config.sweep_config import load_config
from sweep.errors import ConfigProblem
from sweep.running.session import run_sweep
from sweep.work.executors import InProcessExecutor
from tests.installed_package import install
from tests.sweep.session_runs import fold
from trainers.data.conformance import check_source

LEVELS = """
from dataclasses import dataclass, field

import numpy as np

from trainers.data import SequenceData, SequenceSet, Source
from trainers.data.options import means, path_means


@dataclass(frozen=True)
class Options:
    table: str = field(metadata=path_means("numbers, one a line"))
    more: str | None = field(default=None, metadata=path_means("more of them"))
    words: tuple[str, ...] = field(default=(), metadata=means("files, but nobody is told so"))


def load(options, folder):
    numbers = [float(line) for line in (folder / options.table).read_text().split()]
    for path in filter(None, (options.more, *options.words)):
        numbers += [float(line) for line in (folder / path).read_text().split()]
    array = np.array(numbers, dtype=np.float32).reshape(-1, 2, 1)
    part = SequenceSet(array, array)
    return SequenceData("levels", "regression", part, part, None, 1, 1, "")


LEVELS = Source(Options, load)
"""
SWEEP = """
data: {{source: {source}, table: in.txt{more}}}
space: {{base: null, parameters: {{hidden_size: [2, 3]}}}}
train: {{max_epochs: 1}}
budget: {{trials: 2}}
tracking: {{enabled: false}}
"""


@pytest.fixture
def folder(monkeypatch, tmp_path):
    """A sweep's folder beside files that must not be read; the command runs elsewhere."""
    install(monkeypatch, tmp_path / "site", "level_data", LEVELS, {"sources.levels": "LEVELS"})
    folder, elsewhere = tmp_path / "sweep", tmp_path / "elsewhere"
    for place in (folder, elsewhere):
        place.mkdir()
    for path in (folder / "in.txt", tmp_path / "secret.txt", elsewhere / "own.txt"):
        path.write_text("1\n2\n3\n4\n" * 8)
    (elsewhere / "deep").mkdir()
    (elsewhere / "deep" / "own.txt").write_text("1\n2\n")
    (folder / "link.txt").symlink_to(tmp_path / "secret.txt")
    monkeypatch.chdir(elsewhere)
    return folder


def sweep(folder, more="", source="levels"):
    path = folder / "s.yaml"
    path.write_text(SWEEP.format(source=source, more=more))
    return load_config(path)


@pytest.mark.parametrize("source", ["levels", "level_data:LEVELS"])
def test_a_package_adds_a_source_whose_paths_start_from_the_sweep_file(folder, source, tmp_path):
    check_source(source, {"table": "in.txt", "more": "in.txt"}, folder)
    config = sweep(folder, ", more: in.txt", source)
    assert config.data.options["table"] == str(folder.resolve() / "in.txt")
    run_sweep(config, tmp_path / "sweeps", None, InProcessExecutor())
    assert len(fold(tmp_path / "sweeps").trials) == 2


@pytest.mark.parametrize(
    ("more", "key"),
    [
        ("more: ../secret.txt", "data.more"),
        ("more: link.txt", "data.more"),
        ("words: ../secret.txt", "data.words"),
        ("words: [in.txt, link.txt]", "data.words"),
        ("words: ['*.txt']", "data.words"),
        ("words: own.txt", "data.words"),
        ("words: deep", "data.words"),
        ("words: not/there/../../../there.txt", "data.words"),
    ],
)
def test_neither_a_path_nor_a_text_leads_out(folder, more, key):
    with pytest.raises(ConfigProblem, match=rf"must stay in the file's folder, but {key}"):
        sweep(folder, f", {more}")


def test_texts_that_are_no_way_out_stay_as_they_are(folder):
    words = ["rmse", "a/b", "x" * 5000, "\\0", "s3://bucket/own.txt", "/etc/hostname"]
    config = sweep(folder, f', words: ["{words[0]}", "{words[1]}", "{words[2]}", "\\0", '
                   f'"{words[4]}", "{words[5]}"]')  # fmt: skip
    assert config.data.options["words"] == [*words[:3], "\0", *words[4:]]


def test_a_word_of_our_own_sources_may_be_the_name_of_a_file_elsewhere(folder):
    path = folder / "s.yaml"
    path.write_text("data: {source: csv, path: in.txt, target: own.txt}")
    assert load_config(path).data.options["target"] == "own.txt"
    path.write_text("data: {source: csv, path: in.txt, target: ../secret.txt}")
    with pytest.raises(ConfigProblem, match=r"but data\.target: \.\./secret\.txt leads to"):
        load_config(path)

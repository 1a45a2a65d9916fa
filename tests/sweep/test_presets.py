import json
import subprocess
import sys

import pytest

from sweep.config.file import find_sweep_file, preset_names
from sweep.config.sweep_config import load_config
from sweep.results.results import open_results
from sweep.results.rows import records
from sweep.running.preparation import prepare
from sweep.running.session import run_sweep
from sweep.work.executors import InProcessExecutor
from tests.sweep.preset_data import data_overrides

NAMES = preset_names()
# Keys of generated data that shrink it, by source; a tiny trial is to take a moment.
TINY = {
    "adding": ["length=12", "train_sequences=64", "validation_sequences=32", "test_sequences=32"],
    "copy": ["delay=3", "train_sequences=64", "validation_sequences=32", "test_sequences=32"],
}


def tiny(name, folder):
    """Overrides for one trial of one epoch on little data."""
    source = load_config(name).data.source
    data = [f"data.{option}" for option in TINY.get(source, [])]
    if load_config(name).data.options.get("min_length"):
        data[0:1] = ["data.min_length=10", "data.max_length=12"]
    training = ["train.max_epochs=1", "budget.trials=1", "tracking.enabled=false"]
    return [*data_overrides(name, folder), *data, *training]


def test_the_ready_sweeps():
    assert NAMES == [
        "adding", "adding-irnn", "adding-lasagne", "appliances", "appliances-1h", "appliances-24",
        "copy", "digits", "digits-pixels", "sentiment", "shakespeare", "smoke", "vowels",
    ]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_a_preset_bears_its_name_and_says_in_its_first_line_what_it_is(name):
    assert load_config(name).name == name
    first = find_sweep_file(name).read_text().splitlines()[0]
    assert first.startswith("# ")
    assert len(first) < 100


@pytest.mark.parametrize("name", NAMES)
def test_a_preset_fits_its_data_and_its_space(name, tmp_path):
    prepared = prepare(load_config(name, data_overrides(name, tmp_path)))
    for number in range(20):
        config = prepared.train_config(number, prepared.space.sample(number))
        assert config.max_epochs >= 3
    assert prepared.space.size() > 1
    assert len(prepared.data.validation) > 0


@pytest.mark.parametrize("name", NAMES)
def test_a_tiny_trial_of_a_preset_completes(name, tmp_path):
    config = load_config(name, tiny(name, tmp_path))
    run_sweep(config, tmp_path / "sweeps", executor=InProcessExecutor())
    (trial,) = records(open_results(name, tmp_path / "sweeps"))
    assert trial["state"] == "complete"
    assert trial["objective"] is not None


def test_the_demo_has_at_least_sixteen_trials():
    assert load_config("digits").budget.trials >= 16


def test_the_grid_of_first_weights_is_tried_whole():
    config = load_config("adding-irnn")
    prepared = prepare(config)
    assert prepared.space.size() == config.budget.trials == 2
    steps = config.train["max_epochs"] * len(prepared.data.train) / config.train["batch_size"]
    assert steps == 15_000


def run(folder, name, *options):
    """Run a preset by the command line; return the records of its trials."""
    command = [sys.executable, "-m", "sweep"]
    subprocess.run([*command, "run", name, *options], cwd=folder, check=True)
    shown = subprocess.run(
        [*command, "results", name, "--format", "json"],
        cwd=folder, check=True, capture_output=True, text=True,
    )  # fmt: skip
    return json.loads(shown.stdout)


@pytest.mark.integration
@pytest.mark.parametrize("name", ["appliances", "appliances-24", "digits-pixels", "smoke"])
def test_a_preset_runs(name, tmp_path):
    tracked = "true" if name == "smoke" else "false"
    options = ["--trials", "2", "--set", "train.max_epochs=2"]
    options += ["--set", f"tracking.enabled={tracked}"]
    for override in data_overrides(name, tmp_path):
        options += ["--set", override]
    records = run(tmp_path, name, *options)
    assert [record["state"] for record in records] == ["complete", "complete"]


@pytest.mark.integration
@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_demo_reads_digits(tmp_path):
    records = run(tmp_path, "digits")
    assert len(records) >= 16
    complete = [record for record in records if record["state"] == "complete"]
    chosen = max(complete, key=lambda record: (record["objective"], -record["number"]))
    assert chosen["test"]["accuracy"] >= 0.95


@pytest.mark.integration
@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_adding_problem_is_solved(tmp_path):
    records = run(tmp_path, "adding", "--trials", "4", "--set", "tracking.enabled=false")
    errors = [record["objective"] for record in records if record["state"] == "complete"]
    assert min(errors) < 0.01

"""Whole sweeps whose trials begin with a model's weights."""

from functools import partial

import pytest

from sweep.errors import ConfigMismatch, ConfigProblem, UserError
from sweep.models.first_weights import weights_of
from sweep.running.replay import replay
from sweep.running.session import run_sweep
from sweep.work.executors import InProcessExecutor
from tests.sweep.session_runs import Interrupted, config, fold, numbers, run
from trainers.errors import CheckpointError
from trainers.learning.checkpoint import read_checkpoint
from trainers.learning.given_weights import file_name, read_given
from trainers.use.export import named_weights

LSTM = {"hidden_size": 4, "batch_size": 16, "max_epochs": 2, "cell": "lstm"}
ONE = {"base": None, "parameters": {"learning_rate": {"low": 1e-9, "high": 1e-8, "log": True}}}


@pytest.fixture(scope="module")
def donor(tmp_path_factory):
    """A folder of sweeps with one of two trials."""
    directory = tmp_path_factory.mktemp("donor")
    run(directory, train=LSTM, space=ONE, budget__trials=2)
    return directory


def begun(directory, spec, executor=None, **changes):
    given = {"train": {**LSTM, "first_weights": spec}, "space": ONE, "name": "next", **changes}
    find = partial(weights_of, directory=directory)
    made = config(**{"budget__trials": 2, **given})
    return run_sweep(made, directory, None, executor or InProcessExecutor(), find)


def weights(path):
    saved = read_checkpoint(path)
    return named_weights(saved)


def test_trials_begin_where_the_model_ended(donor):
    outcome = begun(donor, "s/1", name="first")
    folder = donor / "first"
    (file,) = folder.glob("first-weights-*.safetensors")
    trial = fold(donor, "first").trials[outcome.best]
    assert trial.config["first_weights"] == file.name
    given = read_given(file)
    (source,) = (donor / "s" / "checkpoints").glob("trial-00001*")
    for name, value in weights(source).items():
        assert (given[name] == value).all()
    after = weights(folder / trial.checkpoint)
    for name, value in given.items():  # the rate is all but zero
        assert after[name].numpy() == pytest.approx(value.numpy(), abs=1e-5)
    seeds = {t.seed for t in fold(donor, "first").trials.values()}
    assert len(seeds) == 2
    assert replay(donor, "first", 0).bit_equal


def test_it_goes_on_with_the_weights_it_began_with(donor):
    space = {"base": None, "parameters": {"learning_rate": {"low": 1e-3, "high": 1e-1}}}
    changes = {"space": space, "budget__trials": 4, "run": {"workers": 2, "order": "reproducible"}}
    begun(donor, "s/0", name="calm", **changes)
    with pytest.raises(MemoryError):
        begun(donor, "s/0", Interrupted(3), name="wild", **changes)

    def nobody(spec):
        raise AssertionError("the model is asked for once")

    given = {"train": {**LSTM, "first_weights": "s/0"}, "name": "wild", **changes}
    run_sweep(config(**given), donor, None, InProcessExecutor(), nobody)
    assert numbers(donor, "wild") == numbers(donor, "calm")


def test_another_model_of_the_same_name_does_not_go_on_with_it(donor, tmp_path):
    with pytest.raises(MemoryError):
        begun(donor, "s/0", Interrupted(3), name="lost")
    for file in (donor / "lost").glob("first-weights-*"):
        file.unlink()
    other = partial(weights_of, directory=donor)
    given = {"train": {**LSTM, "first_weights": "s/0"}, "space": ONE, "name": "lost"}
    made = config(**given, budget__trials=2)
    with pytest.raises(ConfigMismatch, match="needs the first weights that it began with"):
        run_sweep(made, donor, None, InProcessExecutor(), lambda spec: other("s/1"))
    assert run_sweep(made, donor, None, InProcessExecutor(), other).reason == "finished"


@pytest.mark.parametrize(
    ("train", "message"),
    [
        ({"hidden_size": 5}, r"weight_ih_l0 is \(16, 2\), not \(20, 2\)"),
        ({"num_layers": 2}, "they lack weight_ih_l1, weight_hh_l1, bias_ih_l1, …"),
        ({"cell": "gru"}, r"weight_ih_l0 is \(16, 2\), not \(12, 2\)"),
    ],
)
def test_a_structure_that_does_not_fit_is_refused_before_anything_is_trained(donor, train, message):
    given = {**LSTM, **train, "first_weights": "s"}
    with pytest.raises(ConfigProblem, match=message) as caught:
        begun(donor, "s", name="refused", train=given)
    assert len(str(caught.value)) < 300
    assert "\n" not in str(caught.value)
    assert not (donor / "refused").exists()


def test_a_space_that_draws_other_structures_is_refused(donor):
    space = {"base": None, "parameters": {"hidden_size": [4, 8]}}
    train = {name: value for name, value in LSTM.items() if name != "hidden_size"}
    with pytest.raises(ConfigProblem, match="pin the model's structure in train"):
        begun(donor, "s", name="refused", train={**train, "first_weights": "s"}, space=space)


def test_cells_of_the_same_shapes_are_told_apart(tmp_path):
    train = {**LSTM, "cell": "rnn_tanh"}
    run(tmp_path, train=train, space=ONE, budget__trials=1)
    relu = {**train, "cell": "rnn_relu", "first_weights": "s"}
    with pytest.raises(ConfigProblem, match="its cell is 'rnn_tanh', not 'rnn_relu'"):
        begun(tmp_path, "s", train=relu)


def test_what_is_no_model_is_one_line(donor):
    with pytest.raises(UserError, match="a model must be a URI"):
        begun(donor, "nowhere", name="refused")
    with pytest.raises(UserError, match="has no trial 9"):
        begun(donor, "s/9", name="refused")
    assert not (donor / "refused").exists()


def test_first_weights_are_not_drawn(donor):
    space = {"base": None, "parameters": {"first_weights": ["s/0", "s/1"]}}
    with pytest.raises(ConfigProblem, match="first_weights"):
        config(train=LSTM, space=space)


def test_a_file_that_is_not_what_its_name_says_is_refused(tmp_path):
    path = tmp_path / file_name(b"x")
    path.write_bytes(b"y" * 100)
    with pytest.raises(CheckpointError, match="must be a whole safetensors file"):
        read_given(path)

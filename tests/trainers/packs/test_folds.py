"""A trial's folds, judged together: means, one best epoch, one checkpoint."""

from pathlib import Path

import pytest

from trainers.config.folds import fold_configs
from trainers.config.objective import Objective
from trainers.config.train_config import TrainConfig
from trainers.data import load_folds
from trainers.data.choices import DataChoices
from trainers.data.folds import Folds
from trainers.errors import CheckpointError, ConfigError
from trainers.learning.checkpoint import read_checkpoint, write_checkpoint
from trainers.learning.reports import EpochReport
from trainers.packs.folds import judge_together, means, together
from trainers.packs.pack import Pack

CONFIG = TrainConfig(cell="gru", hidden_size=3, batch_size=8, max_epochs=4, learning_rate=0.05)
OBJECTIVE = Objective("rmse")


@pytest.fixture(scope="module")
def choices() -> DataChoices:
    sizes = {"length": 5, "train_sequences": 20, "validation_sequences": 10, "test_sequences": 4}
    return DataChoices.of_folds(load_folds("adding", sizes, Folds(2), base_dir=Path()))


@pytest.fixture
def slots(choices):
    found = []
    folds = choices.folds_of("")
    for config, data in zip(fold_configs(CONFIG, folds), folds.values(), strict=True):
        pack = Pack(config.structure(), data, OBJECTIVE, judges=False)
        pack.admit(0, config)
        found.append((pack, 0))
    return found


def report(rmse, outcome="training", **more):
    values = {"rmse": rmse, **more}
    return EpochReport(0, 1, outcome, {"rmse": rmse}, values, 0, {}, 0.1, 2.0, 5, 1.5)


def test_metrics_are_means_of_what_all_folds_have_and_time_adds_up():
    found = together([report(1.0, r2=0.5), report(4.0)])
    assert found.validation == {"rmse": 2.5}
    assert (found.train, found.gradient_norm) == ({"rmse": 2.5}, 2.0)
    assert (found.optimizer_steps, found.train_seconds) == (10, 3.0)
    assert found.folds == ({"rmse": 1.0, "r2": 0.5}, {"rmse": 4.0})
    assert means([{"a": 1.0, "b": 2.0}, {"b": 5.0}]) == {"b": 3.5}


def test_every_fold_keeps_the_weights_of_the_best_mean(slots):
    newest = []
    for _ in range(4):
        for pack, slot in slots:
            pack.train(slot)
        newest.append([pack.checkpoint(slot).tensors["weights"].clone() for pack, slot in slots])
        found = judge_together(slots)
    assert found.outcome == "completed"
    for number, (pack, slot) in enumerate(slots):
        saved = pack.checkpoint(slot)
        assert saved.tensors["best"].equal(newest[found.best_epoch - 1][number])
        assert saved.progress["best_epoch"] == found.best_epoch


def test_an_epoch_must_be_judged_before_the_next_begins(slots):
    pack, slot = slots[0]
    pack.train(slot)
    with pytest.raises(ConfigError, match="slot 0 is unjudged"):
        pack.train(slot)
    pack.judge(slot, {"rmse": 1.0})
    pack.train(slot)


def test_one_file_continues_all_folds_wherever_they_stand(slots, choices, tmp_path):
    """The first fold has ended its epoch, the second is in the midst of its own."""
    (first, _), (second, _) = slots
    first.train(0)
    second.train(0, seconds=0.0)
    path = tmp_path / "both.safetensors"
    write_checkpoint(second.checkpoint(0), path, [first.checkpoint(0)])

    again = []
    folds = choices.folds_of("")
    for number, (config, data) in enumerate(
        zip(fold_configs(CONFIG, folds), folds.values(), strict=True)
    ):
        pack = Pack(config.structure(), data, OBJECTIVE, judges=False)
        pack.admit(0, config, path, fold=None if number == 1 else number)
        again.append((pack, 0))
    assert again[0][0].unjudged(0) == first.unjudged(0) is not None
    assert again[1][0].unjudged(0) is None
    for pack in (second, again[1][0]):
        while pack.unjudged(0) is None:
            pack.train(0)
    one, other = judge_together(slots), judge_together(again)
    assert one.validation == other.validation
    assert one.folds == other.folds
    for (here, _), (there, _) in zip(slots, again, strict=True):
        here.train(0)
        there.train(0)
        ours, theirs = (pack.checkpoint(0).tensors for pack in (here, there))
        assert all(ours[name].equal(theirs[name]) for name in ("weights", "best", "moments"))


def test_the_file_is_the_last_folds_for_whoever_knows_no_folds(slots, tmp_path):
    (first, _), (last, _) = slots
    path = tmp_path / "both.safetensors"
    write_checkpoint(last.checkpoint(0), path, [first.checkpoint(0)])
    last.save(0, tmp_path / "alone.safetensors")
    both, alone = read_checkpoint(path), read_checkpoint(tmp_path / "alone.safetensors")
    assert both.config == alone.config == CONFIG
    assert both.tensors.keys() == alone.tensors.keys()
    assert all(both.tensors[name].equal(alone.tensors[name]) for name in alone.tensors)
    with pytest.raises(CheckpointError):
        read_checkpoint(path, fold=1)


def test_a_damaged_fold_is_found(slots, tmp_path):
    (first, _), (last, _) = slots
    first.train(0)
    path = tmp_path / "both.safetensors"
    saved = first.checkpoint(0)
    write_checkpoint(last.checkpoint(0), path, [saved])
    content = bytearray(path.read_bytes())
    needle = saved.tensors["moments"].numpy().tobytes()
    content[content.index(needle)] ^= 1
    path.write_bytes(bytes(content))
    with pytest.raises(CheckpointError, match="checksum"):
        read_checkpoint(path, fold=0)

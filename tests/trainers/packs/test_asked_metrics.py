"""What is asked for is measured at each epoch, the rest at a trial's end, all on the test part."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from tests.trainers.factory import (
    ACCURACY,
    RMSE,
    admitted,
    classes_set,
    finish,
    regression_set,
    wrap,
)
from tests.trainers.fused_cases import classes_data, data_of, every_way, finish_all
from trainers.config.measured import Asked
from trainers.config.objective import Objective
from trainers.config.own_metric import OwnMetric
from trainers.config.train_config import TrainConfig
from trainers.errors import ConfigError
from trainers.packs.pack import Pack

CONFIG = TrainConfig(
    cell="gru", hidden_size=4, batch_size=6, max_epochs=2, readout="every", dtype="float64",
    learning_rate=0.02,
)  # fmt: skip
CLASSES = replace(CONFIG, loss="cross_entropy")
WORST = OwnMetric(
    "worst",
    "/own/metrics.py",
    "import numpy as np\ndef worst(predictions, targets, mask):\n"
    "    return np.abs(predictions - targets)[mask].max()\n",
)


def test_a_trial_ends_with_what_its_epochs_did_not_measure():
    pack = admitted(CONFIG, data_of())
    last = finish(pack)[-1]
    rest = pack.evaluate_at_end(0)
    assert not rest.keys() & last.best_validation.keys()
    assert {"mape", "mape_left_out", "smape", "wape"} <= rest.keys()
    assert "mase" not in rest  # no past is told
    everything = pack.evaluate_finalist(0, "validation")
    assert everything == last.best_validation | rest


@every_way
def test_metrics_of_all_answers_are_measured_each_epoch_where_they_are_asked_for(way):
    data, objective = classes_data("prefix"), Objective("auc", "maximize")
    configs = [CLASSES, replace(CLASSES, seed=1)]
    pack = way.packed(configs, data, objective, asked=Asked(("auc", "brier", "f1/1")))
    together = finish_all(pack)
    for slot, config in enumerate(configs):
        alone = admitted(config, data, objective, asked=Asked(("auc", "brier", "f1/1")))
        for mine, reference in zip(together[slot], finish(alone), strict=True):
            assert mine.validation == pytest.approx(reference.validation)
            assert mine.best_epoch == reference.best_epoch
            assert "f1/1" in mine.train  # its sums are there anyway
            assert not {"auc", "brier"} & mine.train.keys()
    answers = pack.answers(0, "validation").judged(data, CLASSES.structure())
    known = answers.mask
    expected = roc_auc_score(answers.targets[known], answers.predictions[known], multi_class="ovr")
    assert pack.evaluate(0, "validation")["auc"] == pytest.approx(expected)


@every_way
@pytest.mark.parametrize("pattern", ["none", "prefix"])
def test_a_function_of_ones_own_sees_own_units_whatever_trains(way, pattern):
    data = data_of(pattern)
    data = replace(data, target_scale=np.array([10.0]), target_shift=np.array([5.0]))
    asked = Asked(("worst",), (WORST,))
    pack = way.packed([CONFIG, replace(CONFIG, seed=1)], data, Objective("worst"), asked=asked)
    reports = finish_all(pack)[0]
    answers = pack.answers(0, "validation")
    mask = np.ones(answers.targets.shape, bool) if answers.mask is None else answers.mask
    expected = 10 * np.abs(answers.outputs - answers.targets)[mask].max()
    assert min(r.validation["worst"] for r in reports) == pytest.approx(expected)
    assert pack.evaluate_finalist(0, "train")["worst"] > 0


def test_finalists_are_told_step_by_step_and_class_by_class():
    wide = regression_set(20, 6, outputs=4)
    data = wrap(wide, horizon=2, seasonal_errors=np.ones((2, 4)))
    found = admitted(CONFIG, data, asked=Asked(("rmse",)))
    last = finish(found)[-1].best_validation | found.evaluate_at_end(0)
    assert {"rmse/h1", "rmse/h2", "mase"} <= last.keys()
    assert "mae/h1" not in last  # of what was not asked for the test part has steps
    everything = found.evaluate_finalist(0, "train")
    assert {"mae/h2", "mase/h1", "smape/h2"} <= everything.keys()
    squares = (everything["rmse/h1"] ** 2 + everything["rmse/h2"] ** 2) / 2
    assert everything["rmse"] ** 2 == pytest.approx(squares)
    pack = admitted(CLASSES, wrap(classes_set(20, 5), task="classification"), ACCURACY)
    finish(pack)
    assert {"f1/0", "recall/2"} <= pack.evaluate_finalist(0, "train").keys()


def test_what_these_data_do_not_have_is_refused():
    with pytest.raises(ConfigError, match="auc needs targets that are classes or labels"):
        Pack(CONFIG.structure(), data_of(), RMSE, asked=Asked(("auc",)))
    with pytest.raises(ConfigError, match="crps needs a loss with quantiles"):
        Pack(CONFIG.structure(), data_of(), RMSE, asked=Asked(("crps",)))
    with pytest.raises(ConfigError, match="metric must be one of"):
        Pack(CONFIG.structure(), data_of(), Objective("mape"))  # nobody asks for it


def test_a_metric_that_fails_ends_with_its_line():
    broken = replace(
        WORST, code="def worst(predictions, targets, mask):\n    return mask.sum() + x"
    )
    pack = admitted(CONFIG, data_of(), asked=Asked(("worst",), (broken,)))
    with pytest.raises(ConfigError, match=r"metric worst fails at metrics\.py:2: NameError"):
        pack.train(0)

from __future__ import annotations

import dataclasses
import json

import pytest

from trainers.config.train_config import TrainConfig, field_names, structural_fields
from trainers.errors import ConfigError


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"tbptt_forward_steps": 0}, "tbptt_forward_steps >= 1 or null"),
        ({"input_dropout": 1.2}, r"0 <= input_dropout < 1.*1\.2"),
        ({"layer_dropout": -0.1}, "0 <= layer_dropout < 1"),
        ({"output_dropout": 1.0}, "0 <= output_dropout < 1"),
        ({"momentum": 1.0}, "0 <= momentum < 1"),
        ({"hidden_size": 0}, "hidden_size >= 1"),
        ({"num_layers": 0}, "num_layers >= 1"),
        ({"batch_size": -3}, "batch_size >= 1.*-3"),
        ({"max_epochs": 0}, "max_epochs >= 1"),
        ({"patience": 0}, "patience >= 1 or null"),
        ({"lr_decay_steps": 0}, "lr_decay_steps >= 1"),
        ({"lr_decay_rate": 0.0}, "0 < lr_decay_rate <= 1"),
        ({"learning_rate": float("nan")}, "learning_rate >= 0 and finite"),
        ({"learning_rate": -1.0}, "learning_rate >= 0 and finite"),
        ({"weight_decay": float("inf")}, "weight_decay >= 0 and finite"),
        ({"clip_norm": 0.0}, "clip_norm > 0 or null"),
        ({"seed": -1}, "seed >= 0"),
        ({"cell": "elman"}, r"cell must be one of .*lstm.*'elman'"),
        ({"hidden_size": 2.5}, r"hidden_size must be of type int or list of int, but got 2\.5"),
        ({"hidden_size": True}, "hidden_size must be of type int or list of int, but got True"),
        ({"learning_rate": "fast"}, "learning_rate must be of type float"),
        ({"bidirectional": 1}, "bidirectional must be of type bool"),
        ({"bidirectional": True, "tbptt_forward_steps": 5}, "can't carry state"),
        ({"recurrent_init": "identity"}, "needs cell rnn_relu or rnn_tanh"),
        ({"forget_bias": 1.0, "cell": "gru"}, "forget_bias needs cell=lstm"),
        ({"nesterov": True}, "nesterov=True needs momentum > 0"),
        ({"hidden_size": [4, 0], "num_layers": 2}, "hidden_size >= 1"),
        ({"hidden_size": [4, 5]}, r"hidden_size must be one number or a list of 1 .*\[4, 5\]"),
        ({"hidden_size": [4, 2.5]}, r"type int or list of int, but got \(4, 2\.5\)"),
        ({"layer_dropout": [0.1, 0.1], "num_layers": 2}, "layer_dropout must be .* list of 1"),
        ({"layer_dropout": [1.0], "num_layers": 2}, "0 <= layer_dropout < 1"),
        ({"head_sizes": 8}, "head_sizes must be of type list of int, but got 8"),
        ({"head_dropout": 0.2}, r"head_dropout=0\.2 with head_sizes=\[\]"),
        ({"head_l2": 0.2}, r"head_l2=0\.2 with head_sizes=\[\]"),
        ({"embedding_dropout": 0.2}, "embedding_dropout needs an embedding"),
        ({"zoneout_cell": 0.2, "cell": "gru"}, "zoneout_cell needs a cell with c"),
        ({"recurrent_dropout": 1.0}, "0 <= recurrent_dropout < 1"),
        ({"dropout_kind": "variational"}, "dropout_kind must be one of"),
        ({"optimizer": "adamw", "weight_decay_kind": "l2"}, "adamw decouples weight decay"),
        ({"clip_norm": 1.0, "clip_value": 1.0}, "clipped in one way"),
        ({"clip_value": 0.0}, "clip_value > 0 or null"),
        ({"lr_decay": "plateau"}, "plateau needs lr_decay_rate < 1"),
        ({"lr_decay": "linear"}, "lr_decay must be one of"),
        ({"lr_decay_floor": 1.5}, "0 <= lr_decay_floor <= 1"),
        ({"lr_plateau_patience": -1}, "lr_plateau_patience >= 0"),
        ({"embedding_size": 0}, "embedding_size >= 1 or null"),
        ({"stem_kernel": 0}, "stem_kernel >= 1"),
        ({"chrono_time_steps": 2}, "chrono_time_steps >= 3 or null"),
        ({"chrono_time_steps": 9, "cell": "rnn_relu"}, "needs a cell with gates"),
        ({"chrono_time_steps": 9, "forget_bias": 1.0}, "set one of them to null"),
    ],
)
def test_a_setting_that_breaks_its_law_is_refused_in_one_line(fields, says):
    with pytest.raises(ConfigError, match=says) as caught:
        TrainConfig(**fields)
    assert "\n" not in str(caught.value)


def test_an_unknown_name_is_refused_with_the_valid_ones():
    with pytest.raises(ConfigError, match=r"learning_rate.*\['learning_rat'\]"):
        TrainConfig.from_mapping({"learning_rat": 0.1})


def test_a_configuration_survives_its_own_mapping():
    config = TrainConfig(
        cell="gru", tbptt_forward_steps=7, clip_norm=1, seed=3, num_layers=2, hidden_size=[4, 3],
        layer_dropout=[0.2], head_sizes=[5],
    )  # fmt: skip
    assert TrainConfig.from_mapping(json.loads(json.dumps(config.to_dict()))) == config
    assert config.structure().layer_sizes == (4, 3)


def test_structure_is_the_same_for_any_free_field_and_differs_for_structural_ones():
    base = TrainConfig(num_layers=2, embedding_size=4, head_sizes=(3,))
    free = {
        "learning_rate": 0.5, "lr_decay_rate": 0.5, "lr_decay_steps": 5, "lr_decay_staircase": True,
        "momentum": 0.5, "weight_decay": 0.1, "input_dropout": 0.1, "layer_dropout": 0.1,
        "output_dropout": 0.1, "clip_norm": 1.0, "recurrent_init": "orthogonal",
        "forget_bias": 1.0, "max_epochs": 3, "patience": 2, "seed": 9, "embedding_dropout": 0.1,
        "recurrent_dropout": 0.1, "weight_drop": 0.1, "zoneout_hidden": 0.1, "zoneout_cell": 0.1,
        "lr_decay": "cosine", "lr_decay_unit": "epoch", "lr_decay_floor": 0.1,
        "lr_plateau_patience": 2, "rmsprop_smoothing": 0.9, "weight_decay_kind": "l2",
        "activation_regularisation": 1.0, "temporal_activation_regularisation": 1.0,
        "head_dropout": 0.1, "head_l2": 0.1, "chrono_time_steps": 9,
    }  # fmt: skip
    for name, value in free.items():
        assert dataclasses.replace(base, **{name: value}).structure() == base.structure()
    assert set(free) | {"nesterov", "clip_value"} == set(field_names()) - set(structural_fields())
    for name, value in {"hidden_size": 5, "batch_size": 5, "optimizer": "sgd"}.items():
        assert dataclasses.replace(base, **{name: value}).structure() != base.structure()
    assert len({base.structure(), dataclasses.replace(base, seed=4).structure()}) == 1

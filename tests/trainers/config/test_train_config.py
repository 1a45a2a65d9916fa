from __future__ import annotations

import dataclasses
import json

import pytest

from trainers.config.settings import check_setting, field_names, structural_fields
from trainers.config.train_config import TrainConfig
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
        ({"learning_rate": float("nan")}, "learning_rate must be finite, but got nan"),
        ({"learning_rate": -1.0}, "learning_rate >= 0"),
        ({"weight_decay": float("inf")}, "weight_decay must be finite"),
        ({"clip_norm": 0.0}, "clip_norm > 0 or null"),
        ({"seed": -1}, "seed >= 0"),
        ({"cell": "elman"}, r"cell must be one of .*lstm.*'elman'"),
        ({"loss": 3}, "loss must be one of mse, .*, but got 3"),
        ({"hidden_size": 2.5}, r"a whole number or a list, each item a whole number, but got 2\.5"),
        ({"hidden_size": True}, "hidden_size must be a whole number or .*, but got True"),
        ({"learning_rate": "fast"}, "learning_rate must be a number, but got 'fast'"),
        ({"bidirectional": 1}, "bidirectional must be true or false, but got 1"),
        ({"hidden_size": [4, 0], "num_layers": 2}, "hidden_size >= 1"),
        ({"hidden_size": [4, 2.5]}, r"hidden_size must be .*, but got \[4, 2\.5\]"),
        ({"layer_dropout": [1.0], "num_layers": 2}, "0 <= layer_dropout < 1"),
        ({"head_sizes": 8}, "head_sizes must be a list, each item a whole number, but got 8"),
        ({"recurrent_dropout": 1.0}, "0 <= recurrent_dropout < 1"),
        ({"dropout_kind": "variational"}, "dropout_kind must be one of"),
        ({"clip_value": 0.0}, "clip_value > 0 or null"),
        ({"lr_decay": "linear"}, "lr_decay must be one of"),
        ({"lr_decay_floor": 1.5}, "0 <= lr_decay_floor <= 1"),
        ({"lr_plateau_patience": -1}, "lr_plateau_patience >= 0"),
        ({"embedding_size": 0}, "embedding_size >= 1 or null"),
        ({"stem_kernel": 0}, "stem_kernel >= 1"),
        ({"chrono_time_steps": 2}, "chrono_time_steps >= 3 or null"),
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
        layer_dropout=[0.2], head_sizes=[5], category_embeddings=[[0, 5, 2], [3, 9, 1]],
    )  # fmt: skip
    assert hash(config.structure())
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
        "teacher_forcing": 0.5, "teacher_forcing_decay": 0.5, "first_weights": "f",
    }  # fmt: skip
    for name, value in free.items():
        assert dataclasses.replace(base, **{name: value}).structure() == base.structure()
    assert set(free) | {"nesterov", "clip_value"} == set(field_names()) - set(structural_fields())
    for name, value in {"hidden_size": 5, "batch_size": 5, "optimizer": "sgd"}.items():
        assert dataclasses.replace(base, **{name: value}).structure() != base.structure()
    assert len({base.structure(), dataclasses.replace(base, seed=4).structure()}) == 1


def test_the_choice_of_data_is_part_of_the_structure_and_nothing_that_is_written():
    chosen = TrainConfig(data_choice='{"input_steps":4}')
    assert chosen.structure() != TrainConfig().structure()
    assert "data_choice" in structural_fields()
    assert "data_choice" not in field_names()
    with pytest.raises(ConfigError, match="training settings must be among"):
        check_setting("data_choice", "x")
    recorded = {n: v for n, v in TrainConfig(seed=3).to_dict().items() if n != "data_choice"}
    assert TrainConfig.from_mapping(recorded) == TrainConfig(seed=3)
    assert TrainConfig.from_mapping(chosen.to_dict()) == chosen

"""`recurrent` against the training settings: every point is one that a trial can train."""

from __future__ import annotations

from pathlib import Path

import pytest

from search_spaces import get_space, space_names
from trainers.config.train_config import TrainConfig


@pytest.mark.parametrize("name", space_names())
def test_every_point_of_a_ready_space_is_a_valid_training_configuration(name: str) -> None:
    ready = get_space(name, Path())
    for seed in range(50):
        drawn = ready.sample(seed)
        config = TrainConfig.from_mapping(drawn).to_dict()
        # One layer has nothing between layers, so that rate alone may be set to zero.
        assert {n: config[n] for n in drawn if n != "layer_dropout"} == {
            n: v for n, v in drawn.items() if n != "layer_dropout"
        }


def test_recurrent_covers_what_matters_for_a_recurrent_network() -> None:
    assert set(get_space("recurrent", Path()).distributions()) == {
        "cell",
        "hidden_size",
        "num_layers",
        "tbptt_forward_steps",
        "input_dropout",
        "layer_dropout",
        "output_dropout",
        "learning_rate",
        "lr_decay_rate",
        "weight_decay",
        "clip_norm",
    }


def test_full_backpropagation_is_among_the_choices() -> None:
    steps = {get_space("recurrent", Path()).sample(s)["tbptt_forward_steps"] for s in range(30)}
    assert None in steps
    assert len(steps) > 1

"""`recurrent` against the training settings: every point is one that a trial can train."""

from __future__ import annotations

import pytest

from search_spaces import get_space, space_names
from trainers.config.train_config import TrainConfig


@pytest.mark.parametrize("name", space_names())
def test_every_point_of_a_ready_space_is_a_valid_training_configuration(name: str) -> None:
    ready = get_space(name)
    for seed in range(50):
        drawn = ready.sample(seed)
        config = TrainConfig.from_mapping(drawn).to_dict()
        # One layer has nothing between layers, so that rate alone may be set to zero.
        assert {n: config[n] for n in drawn if n != "layer_dropout"} == {
            n: v for n, v in drawn.items() if n != "layer_dropout"
        }


def test_recurrent_tries_several_cells_lengths_dropouts_and_decays() -> None:
    draws = [get_space("recurrent").sample(seed) for seed in range(30)]
    tried = {name: {draw[name] for draw in draws} for name in draws[0]}
    assert all(len(values) > 1 for values in tried.values())
    assert tried["cell"] == {"lstm", "gru", "rnn_tanh"}
    assert tried["tbptt_forward_steps"] == {None, 16, 64}
    assert {"input_dropout", "layer_dropout", "output_dropout", "lr_decay_rate"} <= set(tried)

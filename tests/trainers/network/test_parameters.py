from __future__ import annotations

import math

import pytest
import torch

from trainers.config.train_config import TrainConfig
from trainers.network.initialisation import initialise
from trainers.network.parameters import Layout, weights_of

MODULES = {"rnn_tanh": torch.nn.RNN, "gru": torch.nn.GRU, "lstm": torch.nn.LSTM}


def drawn(config, input_size=3, output_size=2):
    layout = Layout.of(config.structure(), input_size, output_size)
    flat = torch.zeros(layout.size)
    initialise(layout, flat, config)
    return {name: view[0] for name, view in layout.views(flat.unsqueeze(0)).items()}


@pytest.mark.parametrize("cell", MODULES)
@pytest.mark.parametrize("bidirectional", [False, True])
def test_names_and_shapes_are_torchs(cell, bidirectional):
    config = TrainConfig(cell=cell, hidden_size=4, num_layers=2, bidirectional=bidirectional)
    own = {n: p.shape for n, p in drawn(config).items() if not n.startswith("head")}
    module = MODULES[cell](3, 4, 2, bidirectional=bidirectional)
    assert own == {name: p.shape for name, p in module.named_parameters()}
    assert list(own) == [name for name, _ in module.named_parameters()]


def test_first_weights_are_uniform_within_torchs_bounds():
    named = drawn(TrainConfig(hidden_size=64, bidirectional=True))
    for name, values in named.items():
        bound = 1 / math.sqrt(128 if name.startswith("head") else 64)
        assert values.abs().max() <= bound
    weights = named["weight_hh_l0"]
    assert weights.mean().abs() < 0.01
    assert weights.std().item() == pytest.approx(2 / 8 / math.sqrt(12), rel=0.05)


def test_first_weights_depend_on_the_seed_only():
    one, same, other = (
        drawn(TrainConfig(seed=s, learning_rate=r)) for s, r in ((1, 1), (1, 2), (2, 1))
    )
    assert all(torch.equal(one[n], same[n]) for n in one)
    assert not torch.equal(one["head.weight"], other["head.weight"])


def test_recurrent_weights_are_orthogonal_gate_by_gate():
    weights = drawn(TrainConfig(cell="gru", hidden_size=6, recurrent_init="orthogonal"))
    for gate in weights["weight_hh_l0"].split(6):
        torch.testing.assert_close(gate @ gate.T, torch.eye(6), atol=1e-5, rtol=0)


def test_identity_initialisation_is_the_irnns():
    named = drawn(TrainConfig(cell="rnn_relu", hidden_size=50, recurrent_init="identity"), 40)
    assert torch.equal(named["weight_hh_l0"], torch.eye(50))
    assert not named["bias_ih_l0"].any()
    assert not named["bias_hh_l0"].any()
    assert named["weight_ih_l0"].std().item() == pytest.approx(0.001, rel=0.1)


def test_forget_bias_is_the_sum_of_torchs_two_biases():
    named = drawn(TrainConfig(hidden_size=4, forget_bias=1.5, num_layers=2))
    for layer in ("l0", "l1"):
        total = named[f"bias_ih_{layer}"] + named[f"bias_hh_{layer}"]
        assert total[4:8].tolist() == [1.5] * 4
        assert total[:4].abs().max() < 1.0


@pytest.mark.filterwarnings("ignore:grad and param do not obey")  # rows of one buffer
def test_gradients_land_in_the_flat_row():
    config = TrainConfig(hidden_size=2)
    layout = Layout.of(config.structure(), 1, 1)
    flat, gradient = torch.ones(2, layout.size), torch.zeros(2, layout.size)
    weights = weights_of(layout, flat, gradient)
    (weights.head_weight * torch.tensor([2.0, 5.0]).reshape(2, 1, 1)).sum().backward()
    by_name = layout.views(gradient)
    assert by_name["head.weight"].flatten().tolist() == [2.0, 2.0, 5.0, 5.0]
    assert gradient.sum() == 14.0


def test_chrono_spreads_memories_up_to_the_time_scale():
    named = drawn(TrainConfig(hidden_size=500, chrono_time_steps=100))
    total = named["bias_ih_l0"] + named["bias_hh_l0"]
    enter, forget = total[:500], total[500:1000]
    assert torch.equal(enter, -forget)
    memory = forget.exp()  # log U[1, 99]
    assert 1.0 <= memory.min() < 3.0
    assert 97.0 < memory.max() <= 99.0
    assert memory.mean().item() == pytest.approx(50.0, abs=4.0)


def test_chrono_keeps_the_grus_state_by_its_update_gate():
    named = drawn(TrainConfig(cell="gru", hidden_size=50, chrono_time_steps=40))
    total = named["bias_ih_l0"] + named["bias_hh_l0"]
    assert total[50:100].exp().min() >= 1.0
    assert total[50:100].exp().max() <= 39.0
    assert total[:50].abs().max() < 0.3


def test_layers_of_different_sizes_have_their_own_shapes_and_bounds():
    config = TrainConfig(hidden_size=(16, 4), num_layers=2, bidirectional=True)
    named = drawn(config)
    assert named["weight_ih_l1"].shape == (16, 32)
    assert named["weight_hh_l1_reverse"].shape == (16, 4)
    assert named["head.weight"].shape == (2, 8)
    assert 1 / 4 < named["weight_hh_l1"].abs().max() <= 1 / 2


def test_layer_normalisation_begins_as_the_identity():
    named = drawn(TrainConfig(cell="lstm_layernorm", hidden_size=4, forget_bias=2.0))
    assert named["gain_ih_l0"].tolist() == named["gain_hh_l0"].tolist() == [1.0] * 16
    assert named["gain_cell_l0"].tolist() == [1.0] * 4
    assert named["bias_ih_l0"].tolist() == [0.0] * 4 + [2.0] * 4 + [0.0] * 8
    assert not named["bias_hh_l0"].any()
    assert not named["bias_cell_l0"].any()


def test_embeddings_are_standard_normal_and_convolutions_bounded_by_their_fan_in():
    config = TrainConfig(embedding_size=30, stem="conv", stem_size=50, stem_kernel=4)
    named = drawn(config, input_size=200)
    assert named["embedding.weight"].std().item() == pytest.approx(1.0, abs=0.05)
    assert 0.9 < named["stem.weight"].abs().max() * math.sqrt(120) <= 1.0

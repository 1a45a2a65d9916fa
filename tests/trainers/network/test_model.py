"""The whole network against torch.nn, weight for weight."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.trainers.factory import Network, regression_set
from trainers.config.train_config import TrainConfig

MODULES = {"rnn_tanh": torch.nn.RNN, "gru": torch.nn.GRU, "lstm": torch.nn.LSTM}


def in_torch(network, cell, bidirectional):
    """The same network from torch.nn, loaded by parameter name."""
    module = MODULES[cell](3, 4, 2, batch_first=True, bidirectional=bidirectional).double()
    head = torch.nn.Linear(8 if bidirectional else 4, 2).double()
    named = network.named(network.flat[0])
    head.load_state_dict({n[5:]: v for n, v in named.items() if n.startswith("head.")})
    module.load_state_dict({n: v for n, v in named.items() if not n.startswith("head.")})
    return module, head


@pytest.mark.parametrize("readout", ["last", "every"])
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("backend", ["auto", "native", "stepwise"])
@pytest.mark.parametrize("cell", MODULES)
def test_a_stacked_network_equals_torch_nn(cell, backend, bidirectional, readout):
    data = regression_set(5, 7, outputs=2, dtype=np.float64)
    config = TrainConfig(
        cell=cell, hidden_size=4, num_layers=2, bidirectional=bidirectional, readout=readout,
        dtype="float64",
    )  # fmt: skip
    network = Network.of(config.structure(), data, 2, backend=backend)
    ((_, outputs, loss, gradient),) = network.walk(data)

    module, head = in_torch(network, cell, bidirectional)
    every, final = module(torch.from_numpy(data.inputs))
    final = final[0] if cell == "lstm" else final
    last = torch.cat([final[-2], final[-1]], -1) if bidirectional else final[-1]
    expected = head(every if readout == "every" else last)
    targets = torch.from_numpy(data.targets if readout == "every" else data.targets[:, -1])
    expected_loss = torch.nn.functional.mse_loss(expected, targets)
    expected_loss.backward()

    torch.testing.assert_close(outputs, expected.detach().reshape(-1, 2), rtol=1e-10, atol=1e-12)
    assert loss == pytest.approx(expected_loss.item(), rel=1e-10)
    theirs = dict(module.named_parameters()) | {
        f"head.{name}": p for name, p in head.named_parameters()
    }
    for name, mine in network.named(gradient).items():
        torch.testing.assert_close(mine, theirs[name].grad, rtol=1e-8, atol=1e-11)

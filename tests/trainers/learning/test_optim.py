"""Each optimizer equals torch's over 100 steps, each trial with its own coefficients."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from tests.trainers.factory import RMSE, admitted, regression_data
from trainers.config.optimizers import OPTIMIZERS
from trainers.config.train_config import TrainConfig
from trainers.learning import optim

TRIALS = [
    TrainConfig(optimizer="adam", learning_rate=0.03),
    TrainConfig(optimizer="adam", learning_rate=0.001, weight_decay=0.1),
    TrainConfig(optimizer="adam", learning_rate=0.01, lr_decay_rate=0.5, lr_decay_steps=20),
]
SGD_TRIALS = [
    TrainConfig(optimizer="sgd", learning_rate=0.1),
    TrainConfig(optimizer="sgd", learning_rate=0.05, momentum=0.9),
    TrainConfig(optimizer="sgd", learning_rate=0.05, momentum=0.8, nesterov=True),
]
L2 = {"weight_decay": 0.1, "weight_decay_kind": "l2"}
FAMILIES = {
    "adam": TRIALS,
    "adam_l2": [TrainConfig(optimizer="adam", learning_rate=0.02, **L2), TrainConfig()],
    "adamw": [TrainConfig(optimizer="adamw", weight_decay=w) for w in (0.0, 0.3)],
    "sgd": SGD_TRIALS,
    "sgd_l2": [TrainConfig(optimizer="sgd", learning_rate=0.05, momentum=0.9, **L2)],
    "rmsprop": [
        TrainConfig(optimizer="rmsprop", learning_rate=0.01),
        TrainConfig(optimizer="rmsprop", learning_rate=0.01, momentum=0.9, rmsprop_smoothing=0.9),
        TrainConfig(optimizer="rmsprop", learning_rate=0.02, **L2),
    ],
    "adagrad": [
        TrainConfig(optimizer="adagrad", learning_rate=0.1),
        TrainConfig(optimizer="adagrad", learning_rate=0.05, **L2),
        TrainConfig(optimizer="adagrad", learning_rate=0.05, clip_value=0.5),
    ],
}  # fmt: skip


def torch_optimizer(config, parameter):
    """Decoupled decay is AdamW's; every other optimizer of torch takes L2."""
    one, rate, decay = [parameter], config.learning_rate, config.weight_decay
    momentum = config.momentum
    match config.optimizer:
        case "adam" | "adamw":
            l2 = config.weight_decay_kind == "l2"
            return (torch.optim.Adam if l2 else torch.optim.AdamW)(one, rate, weight_decay=decay)
        case "rmsprop":
            alpha = config.rmsprop_smoothing
            return torch.optim.RMSprop(one, rate, alpha, momentum=momentum, weight_decay=decay)
        case "adagrad":
            return torch.optim.Adagrad(one, rate, weight_decay=decay)
        case _:
            return torch.optim.SGD(
                one, rate, momentum, nesterov=config.nesterov, weight_decay=decay
            )


def torch_path(config, start, gradients):
    parameter = torch.nn.Parameter(start.clone())
    optimizer = torch_optimizer(config, parameter)
    for done, gradient in enumerate(gradients):
        exponent = done / config.lr_decay_steps
        optimizer.param_groups[0]["lr"] = config.learning_rate * config.lr_decay_rate**exponent
        parameter.grad = gradient.clone()
        if config.clip_norm is not None:
            torch.nn.utils.clip_grad_norm_([parameter], config.clip_norm)
        if config.clip_value is not None:
            torch.nn.utils.clip_grad_value_([parameter], config.clip_value)
        optimizer.step()
    return parameter.detach()


def own_path(configs, start, gradients):
    weights = start.clone()
    moments = torch.zeros(OPTIMIZERS[configs[0].optimizer].moments, *start.shape)
    for done, gradient in enumerate(gradients):
        clipped = gradient.clone()
        norms = torch.linalg.vector_norm(clipped, dim=1)
        optim.clip(clipped, norms, configs)
        rates = [optim.learning_rate(config, done) for config in configs]
        optim.step(weights, clipped, moments, configs, [done] * len(configs), rates)
    return weights


@pytest.mark.parametrize("configs", FAMILIES.values(), ids=FAMILIES)
@pytest.mark.parametrize("together", [True, False])
def test_each_trial_follows_torch_for_100_steps(configs, together):
    torch.manual_seed(0)
    start = torch.randn(len(configs), 11)
    gradients = torch.randn(100, len(configs), 11)
    if together:
        own = own_path(configs, start, gradients)
    else:
        rows = [slice(k, k + 1) for k in range(len(configs))]
        own = torch.cat(
            [own_path([c], start[r], gradients[:, r]) for c, r in zip(configs, rows, strict=True)]
        )
    for k, config in enumerate(configs):
        expected = torch_path(config, start[k], gradients[:, k])
        torch.testing.assert_close(own[k], expected, rtol=1e-6, atol=2e-6)


def test_plain_adam_is_torch_adam():
    start, gradients = torch.randn(1, 5), torch.randn(100, 1, 5)
    parameter = torch.nn.Parameter(start[0].clone())
    optimizer = torch.optim.Adam([parameter], lr=0.03)
    for gradient in gradients:
        parameter.grad = gradient[0]
        optimizer.step()
    torch.testing.assert_close(own_path(TRIALS[:1], start, gradients)[0], parameter.detach())


def test_clipping_is_per_trial_and_by_global_norm():
    gradient = torch.tensor([[3.0, 4.0], [3.0, 4.0], [0.3, 0.4]])
    configs = [TrainConfig(clip_norm=1.0), TrainConfig(), TrainConfig(clip_norm=1.0)]
    optim.clip(gradient, torch.linalg.vector_norm(gradient, dim=1), configs)
    torch.testing.assert_close(gradient, torch.tensor([[0.6, 0.8], [3.0, 4.0], [0.3, 0.4]]))


def test_clipped_steps_equal_torch():
    configs = [TrainConfig(optimizer="sgd", learning_rate=0.1, clip_norm=0.5)]
    start, gradients = torch.randn(1, 5), torch.randn(20, 1, 5)
    expected = torch_path(configs[0], start[0], gradients[:, 0])
    torch.testing.assert_close(own_path(configs, start, gradients)[0], expected)


def test_learning_rate_decays_by_optimizer_steps():
    smooth = TrainConfig(learning_rate=0.8, lr_decay_rate=0.25, lr_decay_steps=10)
    stairs = TrainConfig(
        learning_rate=0.8, lr_decay_rate=0.25, lr_decay_steps=10, lr_decay_staircase=True
    )
    assert [optim.learning_rate(smooth, n) for n in (0, 5, 10)] == pytest.approx([0.8, 0.4, 0.2])
    assert [optim.learning_rate(stairs, n) for n in (0, 9, 10, 25)] == pytest.approx(
        [0.8, 0.8, 0.2, 0.05]
    )


def test_clipping_by_value_bounds_each_number_of_its_trial():
    gradient = torch.tensor([[3.0, -0.2], [3.0, -4.0]])
    configs = [TrainConfig(clip_value=0.5), TrainConfig()]
    optim.clip(gradient, torch.linalg.vector_norm(gradient, dim=1), configs)
    torch.testing.assert_close(gradient, torch.tensor([[0.5, -0.2], [3.0, -4.0]]))


def test_decoupled_decay_leaves_the_optimizers_moments_alone():
    config = TrainConfig(optimizer="adagrad", learning_rate=0.1, weight_decay=0.5)
    weights, moments = torch.tensor([[2.0]]), torch.zeros(1, 1, 1)
    optim.step(weights, torch.tensor([[0.0]]), moments, [config], [0], [0.1])
    assert weights.item() == pytest.approx(2.0 * (1 - 0.1 * 0.5))
    assert moments.item() == 0.0


def rates(config, points, **done):
    return pytest.approx([optim.learning_rate(config, n, **done) for n in points])


def test_a_constant_rate_ignores_the_other_settings_of_decay():
    config = TrainConfig(learning_rate=0.8, lr_decay="constant", lr_decay_rate=0.1)
    assert rates(config, (0, 5000)) == [0.8, 0.8]


def test_a_cosine_falls_to_its_floor_and_stays_there():
    config = TrainConfig(learning_rate=0.8, lr_decay="cosine", lr_decay_steps=10)
    assert rates(config, (0, 5, 10, 99)) == [0.8, 0.4, 0.0, 0.0]
    floored = replace(config, lr_decay_floor=0.25)
    assert rates(floored, (0, 5, 10)) == [0.8, 0.5, 0.2]


def test_the_cosine_is_torchs():
    config = TrainConfig(learning_rate=0.8, lr_decay="cosine", lr_decay_steps=7)
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.8)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=7)
    for done in range(8):
        assert optim.learning_rate(config, done) == pytest.approx(schedule.get_last_lr()[0])
        optimizer.step()
        schedule.step()


def test_decay_can_count_epochs():
    config = TrainConfig(
        learning_rate=0.8, lr_decay_rate=0.5, lr_decay_steps=2, lr_decay_unit="epoch"
    )
    assert [optim.learning_rate(config, 777, n) for n in (0, 2, 4)] == pytest.approx(
        [0.8, 0.4, 0.2]
    )
    stairs = replace(config, lr_decay_staircase=True)
    assert [optim.learning_rate(stairs, 777, n) for n in (1, 3)] == pytest.approx([0.8, 0.4])
    floored = replace(config, lr_decay_floor=0.5)
    assert optim.learning_rate(floored, 0, 40) == pytest.approx(0.4)


def test_a_plateau_reduces_the_rate_when_torchs_scheduler_does():
    config = TrainConfig(
        learning_rate=0.8, lr_decay="plateau", lr_decay_rate=0.5, lr_plateau_patience=1,
        max_epochs=99, hidden_size=1,
    )  # fmt: skip
    pack = admitted(config, regression_data(features=1))
    trial = pack._trial(0)
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.8)
    schedule = torch.optim.lr_scheduler.ReduceLROnPlateau(
        optimizer, factor=0.5, patience=1, threshold=0.0
    )
    seen = []
    for value in (5.0, 4.0, 4.5, 4.5, 4.5, 4.5, 3.0, 3.1, 3.1, 3.1):
        trial.end_epoch(0, {"rmse": value}, RMSE, None)
        schedule.step(value)
        seen.append(trial.learning_rate())
        assert seen[-1] == pytest.approx(schedule.get_last_lr()[0])
    assert seen[-1] == pytest.approx(0.1)
    assert seen[3] == pytest.approx(0.4)

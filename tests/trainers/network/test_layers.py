"""Recurrent layers against torch.nn, against Keras' numbers, and backend against backend."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from trainers.config.cells import CELLS
from trainers.errors import ConfigError
from trainers.network.backends.contract import LayerRun
from trainers.network.cells.affine import AffineWeights
from trainers.network.cells.interface import initial_state
from trainers.network.cells.lstm_layernorm import NormedWeights
from trainers.network.masks import Compaction, last_of, reverse_rows
from trainers.network.recurrence import choose_backend, run_layer

BACKENDS = ("native", "manual", "stepwise")
ELMAN_AND_GRU = ("rnn_tanh", "rnn_relu", "gru")
NO_LSTM = ("manual", "lstm")
TORCH = {
    "rnn_tanh": lambda f, h: torch.nn.RNN(f, h, nonlinearity="tanh", batch_first=True),
    "rnn_relu": lambda f, h: torch.nn.RNN(f, h, nonlinearity="relu", batch_first=True),
    "gru": lambda f, h: torch.nn.GRU(f, h, batch_first=True),
    "lstm": lambda f, h: torch.nn.LSTM(f, h, batch_first=True),
}


def keras_weights(cell):
    """2 units: kernel .01, recurrent .02, bias .03; Keras sets the LSTM's forget bias to 1."""
    gates = len(CELLS[cell].gates) * 2
    bias = torch.full((1, gates), 0.03, dtype=torch.float64)
    if cell == "lstm":
        bias[:, 2:4] = 1.0
    second = torch.full_like(bias, 0.03 if cell == "gru" else 0.0)
    kernel = torch.full((1, gates, 3), 0.01, dtype=torch.float64)
    recurrent = torch.full((1, gates, 2), 0.02, dtype=torch.float64)
    return AffineWeights(kernel, recurrent, bias, second)


def held_outputs(backend, cell, mask, *, backwards=False):
    """Run Keras' example with a mask; outputs at masked steps are the held ones."""
    inputs = np.arange(24, dtype=np.float64).reshape(2, 4, 3)
    moved = Compaction.of(mask)
    x = torch.from_numpy(moved.gather(inputs)).unsqueeze(0)
    lengths = torch.from_numpy(moved.lengths).unsqueeze(0)
    state = initial_state(cell, 1, 2, 2, x)
    if backwards:
        x = reverse_rows(x, lengths)
    outputs, _ = run_layer(backend, LayerRun(cell, keras_weights(cell), x, state, lengths))
    last = last_of(outputs, lengths, state[0])[0, :, 0].numpy()
    everywhere = np.stack([outputs[0, row, moved.place[row], 0].numpy() for row in (0, 1)])
    return everywhere, last


def bits(*rows):
    return np.array([[c == "1" for c in row] for row in rows])


@pytest.mark.parametrize("backend", ["native", "stepwise"])
def test_lstm_with_masks_gives_keras_numbers_and_holds_its_output(backend):
    outputs, _ = held_outputs(backend, "lstm", bits("1110", "1100"))
    np.testing.assert_allclose(outputs[0], [0.0158891, 0.0555205, 0.1175594, 0.1175594], atol=1e-7)
    np.testing.assert_allclose(outputs[1], [0.1418560] + [0.2855621] * 3, atol=1e-7)


@pytest.mark.parametrize("backend", ["native", "stepwise"])
def test_lstm_backwards_with_masks_gives_keras_numbers(backend):
    _, last = held_outputs(backend, "lstm", bits("0111", "0011"), backwards=True)
    np.testing.assert_allclose(last, [0.1534120, 0.3844719], atol=1e-7)


@pytest.mark.parametrize("backend", BACKENDS)
def test_gru_with_gaps_gives_keras_numbers_in_both_directions(backend):
    _, forwards = held_outputs(backend, "gru", bits("1101", "1001"))
    _, backwards = held_outputs(backend, "gru", bits("1101", "1001"), backwards=True)
    np.testing.assert_allclose(forwards, [0.1939376, 0.3081856], atol=1e-7)
    np.testing.assert_allclose(backwards, [0.1166919, 0.2838098], atol=1e-7)


@pytest.mark.parametrize(
    ("backend", "cell"),
    [(backend, cell) for backend in BACKENDS for cell in TORCH if (backend, cell) != NO_LSTM],
)
def test_each_cell_equals_torch_nn_in_values_and_gradients(backend, cell):
    torch.manual_seed(0)
    module = TORCH[cell](3, 5).double()
    x = torch.randn(4, 7, 3, dtype=torch.float64)
    expected, _ = module(x)
    expected.square().sum().backward()

    own = [p.detach().unsqueeze(0).requires_grad_() for p in module.parameters()]
    state = initial_state(cell, 1, 4, 5, x)
    outputs, _ = run_layer(backend, LayerRun(cell, AffineWeights(*own), x.unsqueeze(0), state))
    outputs.square().sum().backward()

    torch.testing.assert_close(outputs[0], expected, rtol=1e-10, atol=1e-12)
    for mine, theirs in zip(own, module.parameters(), strict=True):
        torch.testing.assert_close(mine.grad[0], theirs.grad, rtol=1e-9, atol=1e-11)


def random_layer(cell, trials, dtype):
    torch.manual_seed(trials)
    gates = len(CELLS[cell].gates) * 4
    shapes = ((gates, 3), (gates, 4), (gates,), (gates,))
    weights = AffineWeights(*(torch.randn(trials, *s, dtype=dtype) * 0.5 for s in shapes))
    x = torch.randn(trials, 3, 6, 3, dtype=dtype)
    state = tuple(torch.randn(trials, 3, 4, dtype=dtype) for _ in CELLS[cell].state)
    lengths = torch.tensor([6, 4, 0]).repeat(trials, 1)
    return weights, x, state, lengths


def run_with_gradients(backend, cell, weights, x, state, lengths):
    weights = AffineWeights(*(w.detach().clone().requires_grad_() for w in weights))
    x = x.detach().clone().requires_grad_()
    state = tuple(s.detach().clone().requires_grad_() for s in state)
    outputs, after = run_layer(backend, LayerRun(cell, weights, x, state, lengths, True))
    seen = torch.where((torch.arange(6) < lengths[..., None])[..., None], outputs, 0.0)
    (seen.square().sum() + sum((s**3).sum() for s in after)).backward()
    return [seen.detach(), *(s.detach() for s in after)], [t.grad for t in (*weights, x, *state)]


@pytest.mark.parametrize("cell", TORCH)
def test_native_holds_state_in_single_precision_too(cell):
    """Rows of 6, 4 and 0 steps: the LSTM's c can only come from the saturating column."""
    weights, x, state, lengths = random_layer(cell, 1, torch.float32)
    native = run_with_gradients("native", cell, weights, x, state, lengths)
    reference = run_with_gradients("stepwise", cell, weights, x, state, lengths)
    for mine, theirs in zip([*native[0], *native[1]], [*reference[0], *reference[1]], strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("cell", ELMAN_AND_GRU)
@pytest.mark.parametrize("read", ["outputs", "state", "both"])
@pytest.mark.parametrize("time_steps", [1, 4])
def test_the_written_out_backward_pass_is_the_numerical_one(cell, read, time_steps):
    weights, x, state, _ = random_layer(cell, 1, torch.float64)
    given = [t.requires_grad_() for t in (*weights, x[:, :, :time_steps].clone(), *state)]

    def layer(*tensors):
        *kernels, inputs, h = tensors
        outputs, after = run_layer("manual", LayerRun(cell, AffineWeights(*kernels), inputs, (h,)))
        return {"outputs": outputs, "state": after[0], "both": (outputs, after[0])}[read]

    assert torch.autograd.gradcheck(layer, given)


@pytest.mark.parametrize("cell", ELMAN_AND_GRU)
def test_a_state_that_needs_no_gradient_changes_no_other(cell):
    """The product that only the first state's gradient needs is left out."""
    weights, x, state, _ = random_layer(cell, 1, torch.float64)
    gradients = []
    for needed in (False, True):
        own = AffineWeights(*(w.detach().clone().requires_grad_() for w in weights))
        begin = tuple(s.clone().requires_grad_(needed) for s in state)
        outputs, _ = run_layer("manual", LayerRun(cell, own, x, begin))
        outputs.square().sum().backward()
        gradients.append([w.grad for w in own])
    for one, other in zip(*gradients, strict=True):
        assert torch.equal(one, other)


def test_a_state_that_grows_without_bound_in_the_padding_spoils_no_gradient():
    """h = 1e20 · h of the step before is infinite after two steps that do not exist."""
    weights = AffineWeights(*(torch.ones(1, 1, *rest) for rest in ((1,), (1,), (), ())))
    weights = AffineWeights(
        *(
            w.requires_grad_()
            for w in weights._replace(
                hidden=torch.full((1, 1, 1), 1e20), hidden_bias=torch.zeros(1, 1)
            )
        )
    )
    x = torch.zeros(1, 1, 5, 1)
    outputs, _ = run_layer(
        "manual", LayerRun("rnn_relu", weights, x, (torch.zeros(1, 1, 1),), torch.ones(1, 1))
    )
    outputs[0, 0, 0].sum().backward()
    assert [w.grad.item() for w in weights] == [0.0, 0.0, 1.0, 1.0]


@pytest.mark.parametrize("cell", ELMAN_AND_GRU)
def test_the_same_layer_gives_the_same_bits_again(cell):
    weights, x, state, lengths = random_layer(cell, 1, torch.float32)
    once, again = (run_with_gradients("manual", cell, weights, x, state, lengths) for _ in "ab")
    for one, other in zip([*once[0], *once[1]], [*again[0], *again[1]], strict=True):
        assert torch.equal(one, other)


@pytest.mark.parametrize(
    ("cell", "trials", "device", "chosen"),
    [
        ("lstm", 1, "cpu", "native"),
        ("gru", 1, "cpu", "manual"),
        ("rnn_tanh", 1, "cpu", "manual"),
        ("rnn_relu", 1, "cpu", "manual"),
        ("gru", 1, "cuda", "native"),
        ("gru", 2, "cpu", "stepwise"),
        ("lstm", 2, "cuda", "stepwise"),
        ("lstm_layernorm", 1, "cpu", "stepwise"),
        ("mingru", 1, "cpu", "scan"),
        ("minlstm", 3, "cuda", "scan"),
    ],
)
def test_the_fastest_backend_that_is_exact_is_chosen(cell, trials, device, chosen):
    assert choose_backend("auto", cell, trials, device) == chosen
    assert choose_backend(chosen, cell, trials, device) == chosen
    assert choose_backend("stepwise", cell, trials, device) == "stepwise"


@pytest.mark.parametrize(
    ("wanted", "cell", "trials", "device"),
    [
        ("native", "gru", 2, "cpu"),
        ("native", "lstm_layernorm", 1, "cpu"),
        ("manual", "gru", 2, "cpu"),
        ("manual", "lstm", 1, "cpu"),
        ("manual", "gru", 1, "cuda"),
        ("native", "mingru", 1, "cpu"),
    ],
)
def test_a_backend_that_is_not_exact_is_refused(wanted, cell, trials, device):
    with pytest.raises(ConfigError, match=f"backend {wanted} runs one trial.*{cell}.*{device}"):
        choose_backend(wanted, cell, trials, device)


@pytest.mark.parametrize("trials", [1, 3])
def test_layer_normalised_lstm_follows_its_equations(trials):
    """Ba et al. 2016, one trial and one step at a time, written out."""
    torch.manual_seed(0)
    shapes = ((16, 3), (16, 4), (16,), (16,), (16,), (16,), (4,), (4,))
    weights = NormedWeights(*(torch.randn(trials, *s, dtype=torch.float64) for s in shapes))
    x = torch.randn(trials, 2, 5, 3, dtype=torch.float64)
    state = tuple(torch.randn(trials, 2, 4, dtype=torch.float64) for _ in range(2))
    outputs, _ = run_layer("stepwise", LayerRun("lstm_layernorm", weights, x, state))

    def norm(a, gain, bias):
        centred = a - a.mean(-1, keepdim=True)
        return gain * centred / (centred.square().mean(-1, keepdim=True) + 1e-5).sqrt() + bias

    for k in range(trials):
        w, u, b_w, b_u, g_w, g_u, g_c, b_c = (tensor[k] for tensor in weights)
        h, c = state[0][k], state[1][k]
        for time in range(5):
            gates = norm(x[k, :, time] @ w.T, g_w, b_w) + norm(h @ u.T, g_u, b_u)
            i, f, g, o = gates.split(4, -1)
            c = f.sigmoid() * c + i.sigmoid() * g.tanh()
            h = o.sigmoid() * norm(c, g_c, b_c).tanh()
            torch.testing.assert_close(outputs[k, :, time], h)


def test_layer_normalisation_ignores_the_scale_of_the_inputs_weights():
    """With x always there, W and 10 W give the same outputs (up to ε)."""
    weights, x, state, _ = random_layer("lstm", 1, torch.float64)
    extra = (torch.ones(1, 16), torch.ones(1, 16), torch.ones(1, 4), torch.zeros(1, 4))
    normed = NormedWeights(*weights, *(t.double() for t in extra))
    scaled = normed._replace(input=normed.input * 10)
    one, other = (
        run_layer("stepwise", LayerRun("lstm_layernorm", w, x, state))[0] for w in (normed, scaled)
    )
    torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-3)

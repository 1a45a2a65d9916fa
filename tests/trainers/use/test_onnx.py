"""An exported graph, run by onnxruntime, gives what the library gives."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

from tests.trainers.panel_factory import panel, window_of
from tests.trainers.use.onnx_models import (
    LENGTHS,
    OUTPUTS,
    assert_agrees,
    interface_of,
    portable,
    ran,
    raw_inputs,
    scaled_interface,
    session_of,
    with_category,
)
from trainers.config.cells import CELLS
from trainers.config.losses import LOSSES
from trainers.errors import ConfigError
from trainers.use import onnx_export
from trainers.use.onnx_export import as_onnx
from trainers.use.onnx_graph.recurrence import has_operator
from trainers.use.streaming import StreamingModel

OUTSIDE = Path(__file__).parents[1] / "conformance" / "outside"
READOUTS = ("every", "last", "mean", "max", "all_states")
BOTH_WAYS = {"bidirectional": True, "num_layers": 2, "hidden_size": (3, 4)}
STACKS = (
    {"num_layers": 2, "hidden_size": (4, 3)},
    {"bidirectional": True, "bidirectional_merge": "sum"},
)
STEMS = (
    {"stem": "dense", "stem_size": 5},
    {"stem": "conv", "stem_size": 5, "stem_kernel": 3, "stem_activation": "relu"},
    {"stem": "conv", "stem_kernel": 1, "stem_activation": "none"},
)


@pytest.mark.parametrize("readout", READOUTS)
@pytest.mark.parametrize("cell", CELLS)
def test_every_cell_and_readout_agrees(cell, readout):
    assert_agrees(portable(scaled_interface(), cell=cell, readout=readout, **BOTH_WAYS))


@pytest.mark.parametrize("stack", STACKS)
@pytest.mark.parametrize("readout", READOUTS)
def test_every_stack_agrees(readout, stack):
    assert_agrees(portable(scaled_interface(), cell="gru", readout=readout, **stack))


@pytest.mark.parametrize("stem", STEMS)
@pytest.mark.parametrize("readout", ["every", "max"])
@pytest.mark.parametrize("head", [(), (6, 3)])
def test_stems_and_heads_agree(stem, readout, head):
    fields = {"cell": "gru", "readout": readout, "head_sizes": head, "head_activation": "relu"}
    assert_agrees(portable(scaled_interface(), **fields, **stem))


@pytest.mark.parametrize("cell", CELLS)
def test_double_precision_is_kept(cell):
    model = portable(scaled_interface(), cell=cell, dtype="float64", stem="conv", readout="mean")
    assert_agrees(model, tolerance=1e-9)


@pytest.mark.parametrize("cell", CELLS)
def test_zoneout_is_felt_by_its_expectation(cell):
    c = {"zoneout_cell": 0.4} if CELLS[cell].carries_c else {}
    model = portable(scaled_interface(), cell=cell, zoneout_hidden=0.3, **c, bidirectional=True)
    assert_agrees(model)


@pytest.mark.parametrize("size", [None, 3])
def test_ids_enter_one_hot_or_embedded(size):
    interface = interface_of(ids=True, task="classification", output_size=5)
    assert_agrees(portable(interface, embedding_size=size, loss="cross_entropy"))


def test_categories_are_looked_up_and_unknown_ones_are_the_unknown():
    model = portable(with_category(), category_embeddings=((1, 3, 2),))
    assert_agrees(model)
    x = raw_inputs(model.interface, (3,))
    outputs = []
    for unknown in (0.0, 3.0, -1.0, np.nan):
        x[0, 1, 1] = unknown
        outputs.append(ran(session_of(model), inputs=x)["values"])
    assert all(np.array_equal(outputs[0], other) for other in outputs)


@pytest.mark.parametrize("readout", ["every", "last"])
@pytest.mark.parametrize("loss", LOSSES)
def test_every_loss_is_answered_in_own_units_or_probabilities(loss, readout):
    numbers = LOSSES[loss].task == "regression"
    interface = scaled_interface() if numbers else interface_of(task="classification")
    found = assert_agrees(portable(interface, loss=loss, readout=readout))
    assert ("values" if numbers else "probabilities") in found
    if LOSSES[loss].targets == "ids":
        sums = found["probabilities"].sum(-1)
        np.testing.assert_allclose(sums[~np.isnan(sums)], 1.0)


def test_logarithms_of_targets_are_undone():
    scales = {"target_scale": (2.0, 0.1), "target_shift": (1.0, 0.0)}
    found = assert_agrees(portable(scaled_interface(target_transform="log1p", **scales)))
    raw, values = found["raw_outputs"][0], found["values"][0]
    own = np.expm1(raw.astype(np.float64) * [2.0, 0.1] + [1.0, 0.0])
    np.testing.assert_allclose(values, own, rtol=1e-12)


def test_a_cell_and_a_loss_from_outside_are_translated(monkeypatch):
    monkeypatch.syspath_prepend(OUTSIDE)
    for readout in ("every", "last"):
        model = portable(
            scaled_interface(), cell="outside_cell:MULTIPLICATIVE", loss="outside_loss:GAUSSIAN",
            readout=readout, bidirectional=True,
        )  # fmt: skip
        found = assert_agrees(model)
        assert found["raw_outputs"].shape[-1] == 2 * OUTPUTS


def test_code_that_is_not_translated_is_named(monkeypatch):
    monkeypatch.syspath_prepend(Path(__file__).parent)
    model = portable(scaled_interface(), cell="onnx_cells:ERRS")
    with pytest.raises(ConfigError, match="but cell onnx_cells:ERRS calls aten::erf"):
        session_of(model)


@pytest.mark.parametrize("cell", ["gru", "lstm_layernorm"])
@pytest.mark.parametrize("lengths", [(1,), (9, 2, 9), (2,) * 7])
def test_any_batch_and_length(cell, lengths):
    assert_agrees(portable(scaled_interface(), cell=cell, bidirectional=True), lengths)


def test_without_lengths_every_step_exists():
    model = portable(scaled_interface())
    x = raw_inputs(model.interface, (5, 5))
    given = ran(session_of(model), inputs=x, lengths=np.array([5, 5]))
    alone = ran(session_of(model), inputs=x)
    assert all(np.array_equal(given[name], alone[name]) for name in given)


@pytest.mark.parametrize("readout", READOUTS)
@pytest.mark.parametrize("cell", CELLS)
def test_state_fed_back_chunk_by_chunk_gives_the_whole_pass(cell, readout):
    model = portable(scaled_interface(), cell=cell, readout=readout, stem="conv")
    session, x = session_of(model), raw_inputs(model.interface, (7, 7))
    whole, found, state = ran(session, inputs=x), [], {}
    for begin, stop in ((0, 1), (1, 4), (4, 7)):
        one = ran(session, inputs=x[:, begin:stop], **state)
        state = {n.removesuffix("_next"): v for n, v in one.items() if n.endswith("_next")}
        found.append(one["values"])
    values = np.concatenate(found, 1) if readout == "every" else found[-1]
    np.testing.assert_allclose(values, whole["values"], rtol=1e-5, atol=1e-4)
    for name, value in state.items():
        np.testing.assert_allclose(value, whole[f"{name}_next"], rtol=1e-5, atol=1e-6)


def test_the_state_is_that_of_stepping():
    model = portable(scaled_interface(), cell="lstm", num_layers=2)
    x = raw_inputs(model.interface, (4, 4))
    found = ran(session_of(model), inputs=x)
    stepped = StreamingModel(model.saved)
    stepped.step(torch.from_numpy(model.scaled(x)))
    for layer in range(2):
        for part, theirs in zip("hc", stepped.get_state(layer), strict=True):
            mine = found[f"{part}_{layer}_next"]
            np.testing.assert_allclose(mine, theirs.numpy(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("cell", CELLS)
def test_a_row_without_a_step_holds_its_state(cell):
    session = session_of(portable(scaled_interface(), cell=cell))
    random = np.random.default_rng(0)
    state = {
        f"{part}_0": random.normal(size=(2, 4)).astype(np.float32) for part in CELLS[cell].state
    }
    x = raw_inputs(scaled_interface(), (3, 3))
    found = ran(session, inputs=x, lengths=np.array([3, 0]), **state)
    for name, given in state.items():
        assert np.array_equal(found[f"{name}_next"][1], given[1])
        assert not np.allclose(found[f"{name}_next"][0], given[0])


def test_a_network_that_reads_backwards_has_no_state():
    session = session_of(portable(scaled_interface(), bidirectional=True, readout="mean"))
    assert [one.name for one in session.get_inputs()] == ["inputs"]
    assert [one.name for one in session.get_overridable_initializers()] == ["lengths"]
    assert [one.name for one in session.get_outputs()] == ["values", "raw_outputs"]


def test_series_with_scales_of_their_own_bring_them(tmp_path):
    trained = panel(tmp_path)
    model = trained.model
    session = session_of(model)
    metadata = session.get_modelmeta().custom_metadata_map
    for shop in ("A", "B"):
        steps, expected = window_of(trained, shop)
        inputs = model.encode({"steps": steps, "series": shop}, "it").inputs
        own = json.loads(metadata["series_scales"])[shop]
        scales = {name: np.array([numbers]) for name, numbers in own.items()}
        raw = inputs * scales["input_scale"] + scales["input_shift"]
        values = ran(session, inputs=raw[None], **scales)["values"]
        assert values.ravel()[-1] == pytest.approx(expected, rel=1e-5)
    with pytest.raises(ValueError, match="input_scale"):
        ran(session, inputs=raw[None])


def test_the_file_says_what_it_is():
    model = portable(scaled_interface())
    model.about = {"sweep": "load", "trial": 3, "best_epoch": 7}
    content = as_onnx(model)
    metadata = {one.key: one.value for one in onnx.load_from_string(content).metadata_props}
    assert metadata["sweep"] == "load"
    assert metadata["trial"] == "3"
    assert metadata["data_digest"] == "digest"
    assert metadata["units"] == "Wh"
    assert json.loads(metadata["inputs"]) == ["a", "b", "c"]
    assert json.loads(metadata["outputs"]) == ["y0", "y1"]
    assert json.loads(metadata["training"])["cell"] == "lstm"


def test_the_file_does_not_change_with_the_machine():
    model = portable(scaled_interface(), cell="lstm_layernorm")
    assert as_onnx(model) == as_onnx(model)


def test_without_the_package_one_line_says_what_to_install(monkeypatch):
    monkeypatch.setattr(onnx_export, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"pip install 'rnn-sweep\[onnx\]'"):
        as_onnx(portable(scaled_interface()))


def test_operators_are_taken_where_they_are_exact():
    single, double = np.dtype("float32"), np.dtype("float64")
    assert [c for c in CELLS if has_operator(c, (0.0,), single)] == [
        "rnn_tanh", "rnn_relu", "gru", "lstm",
    ]  # fmt: skip
    assert not has_operator("gru", (0.1,), single)
    assert not has_operator("gru", (0.0,), double)


def test_padding_may_hold_anything():
    model = portable(scaled_interface(), cell="gru", readout="mean")
    session, x = session_of(model), raw_inputs(model.interface)
    found = ran(session, inputs=x, lengths=np.array(LENGTHS))["values"]
    other = np.where(np.isnan(x), 1e30, x)
    again = ran(session, inputs=other, lengths=np.array(LENGTHS))["values"]
    assert np.array_equal(found, again)

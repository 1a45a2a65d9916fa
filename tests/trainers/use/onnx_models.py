"""Networks with random weights as portable models, and their ONNX graphs run by onnxruntime."""

import numpy as np
import onnxruntime
import torch

from trainers.config.train_config import TrainConfig
from trainers.data.contract import Category
from trainers.data.interface import Interface
from trainers.learning.checkpoint import Checkpoint
from trainers.network.initialisation import initialise
from trainers.network.parameters import Layout
from trainers.use.inference import Network
from trainers.use.onnx_graph.network import onnx_model
from trainers.use.portable import PortableModel

FEATURES, OUTPUTS, WORDS = 3, 2, 5
LENGTHS = (6, 3, 5, 1)
SCALES = {
    "input_scale": (2.0, 0.5, 1.0), "input_shift": (1000.0, -3.0, 0.0),
    "target_scale": (10.0, 0.1), "target_shift": (300.0, 0.0),
}  # fmt: skip


def interface_of(*, ids=False, task="regression", **fields):
    return Interface(
        **{
            "name": "load", "task": task, "digest": "digest", "ids": ids, "one_target": False,
            "input_size": WORDS if ids else FEATURES, "output_size": OUTPUTS, **fields,
        }
    )  # fmt: skip


def scaled_interface(**fields):
    return interface_of(units="Wh", input_names=("a", "b", "c"), **{**SCALES, **fields})


def with_category():
    """The middle feature is a category's id."""
    return scaled_interface(
        categories=(Category(1, "b", ("x", "y"), 2),),
        input_scale=(2.0, 1.0, 1.0), input_shift=(1000.0, 0.0, 0.0),
    )  # fmt: skip


def portable(interface, **fields):
    """A network with first weights, made larger so that gates are not all half open."""
    config = TrainConfig(**{"hidden_size": 4, "readout": "every", "seed": 3, **fields})
    layout = Layout.of(config.structure(), interface.input_size, interface.output_size)
    flat = torch.zeros(layout.size, dtype=getattr(torch, config.dtype))
    initialise(layout, flat, config)
    saved = Checkpoint(
        config=config, data_digest="digest", input_size=interface.input_size,
        output_size=interface.output_size, progress={"best_epoch": 0}, layout=[],
        tensors={"weights": flat * 2},
    )  # fmt: skip
    return PortableModel(saved, interface)


def session_of(model, about=None):
    """A session; what it says of inputs that may be left out is not shown."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(onnx_model(model, about or {}).SerializeToString(), options)


def ran(session, **inputs):
    """Return the outputs by name."""
    names = [one.name for one in session.get_outputs()]
    return dict(zip(names, session.run(None, inputs), strict=True))


def raw_inputs(interface, lengths=LENGTHS, seed=0):
    """Rows in own units, padded with what nobody may read: NaN, or an id that exists."""
    random = np.random.default_rng(seed)
    shape = len(lengths), max(lengths)
    if interface.ids:
        return random.integers(0, interface.input_size, size=shape)
    x = random.normal(size=(*shape, interface.input_size))
    x = x * np.array(interface.input_scale or 1.0) + np.array(interface.input_shift or 0.0)
    for category in interface.categories:
        x[..., category.feature] = random.integers(0, len(category.values) + 2, size=shape)
    x[np.arange(max(lengths)) >= np.array(lengths)[:, None]] = np.nan
    return x


def library_answers(model, x, lengths=LENGTHS):
    """Own units or probabilities, and the head's outputs, as the library has them, row by row."""
    rows = [row[:length] for row, length in zip(x, lengths, strict=True)]
    read = rows if model.interface.ids else [model.scaled(row) for row in rows]
    masks = [np.ones(len(row), dtype=bool) for row in rows]
    raw = Network(model.saved).outputs(read, masks)
    return [model.values_of(one) for one in raw], raw


def assert_agrees(model, lengths=LENGTHS, tolerance=1e-5, **inputs):
    """Run the graph and the library on rows of these lengths; return the graph's outputs."""
    x = raw_inputs(model.interface, lengths)
    name = "ids" if model.interface.ids else "inputs"
    session = session_of(model)
    found = ran(session, **{name: x, "lengths": np.array(lengths), **inputs})
    answers = found["values" if model.interface.task == "regression" else "probabilities"]
    pairs = zip((answers, found["raw_outputs"]), library_answers(model, x, lengths), strict=True)
    for mine, rows in pairs:
        for row, theirs in enumerate(rows):
            if theirs.ndim == 2:
                assert np.isnan(mine[row, len(theirs) :]).all()
            one = mine[row, : len(theirs)] if theirs.ndim == 2 else mine[row]
            scale = max(1.0, float(np.abs(theirs).max()))
            np.testing.assert_allclose(one, theirs, rtol=tolerance, atol=tolerance * scale)
    return found

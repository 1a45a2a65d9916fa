"""The cells by name, and what is known of each without torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from trainers.registry import Registry

Twin = Literal["rnn_tanh", "rnn_relu", "gru", "lstm"]


@dataclass(frozen=True)
class CellType:
    """A cell: what the laws of settings, the backends and the export ask of it.

    Attributes:
        sentence: What it is, for people, with its source.
        code: `module:class`, a `trainers.network.cells.interface.Cell`; loaded when it first runs.
        gates: What its products give h's share and the input's share of, in the order in which they
            are stacked along the weights' rows. Settings find a gate by its name: `forget` keeps
            the old state where it is open and is what `forget_bias` sets; chrono draws it, or
            `update` where there is none, and sets `input` against it.
        state: Its tensors, h first, each `(trials, batch, hidden)`.
        torch: What torch calls the same cell: `torch.lstm`, `torch.lstm_cell`, `torch.nn.LSTM`. Its
            weights are torch's. None where torch has none: no fast kernel, and no export.
        identity_init: Whether its recurrent weights may begin as the identity.
        linear: Whether its gates read the input alone, so that h' is linear in h: it has no
            recurrent weights, its code is a `LinearCell`, and a scan runs all steps at once.
    """

    sentence: str
    code: str
    gates: tuple[str, ...]
    state: tuple[str, ...] = ("h",)
    torch: Twin | None = None
    identity_init: bool = False
    linear: bool = False

    @property
    def carries_c(self) -> bool:
        """Whether its state has a c beside h."""
        return "c" in self.state

    @property
    def forgets(self) -> bool:
        """Whether it has a forget gate."""
        return "forget" in self.gates

    @property
    def remembers(self) -> bool:
        """Whether the bias of a gate decides how long it remembers."""
        return self.forgets or "update" in self.gates


_LSTM_GATES = ("input", "forget", "cell", "output")
_OWN = {
    "rnn_tanh": CellType(
        "Elman network with tanh", "trainers.network.cells.elman:Tanh", ("new",),
        torch="rnn_tanh", identity_init=True,
    ),
    "rnn_relu": CellType(
        "Elman network with rectifier (IRNN, Le et al. 2015)", "trainers.network.cells.elman:Relu",
        ("new",), torch="rnn_relu", identity_init=True,
    ),
    "gru": CellType(
        "gated recurrent unit (Cho et al. 2014)", "trainers.network.cells.gru:Gru",
        ("reset", "update", "new"), torch="gru",
    ),
    "lstm": CellType(
        "long short-term memory (Hochreiter & Schmidhuber 1997; Gers et al. 2000)",
        "trainers.network.cells.lstm:Lstm", _LSTM_GATES, ("h", "c"), torch="lstm",
    ),
    "lstm_layernorm": CellType(
        "LSTM with layer normalisation (Ba et al. 2016)",
        "trainers.network.cells.lstm_layernorm:NormedLstm", _LSTM_GATES, ("h", "c"),
    ),
    "mingru": CellType(
        "minGRU: gates from the input alone (Feng et al. 2024)",
        "trainers.network.cells.minimal:MinGru", ("update", "new"), linear=True,
    ),
    "minlstm": CellType(
        "minLSTM: gates from the input alone (Feng et al. 2024)",
        "trainers.network.cells.minimal:MinLstm", ("input", "forget", "new"), linear=True,
    ),
}  # fmt: skip

CELLS: Registry[CellType] = Registry("rnn_sweep.cells", "cell", CellType, _OWN)

"""What one trial trains: a frozen, validated configuration.

Every field is *structural* (trials that differ in it can't share a pack) or *free* (may differ
from slot to slot of one pack). `structure()` returns the structural part, which is hashable and
is the key under which trials are packed together.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_type_hints

from trainers.config.laws import check_combinations, check_ranges, check_types, lists_to_tuples
from trainers.errors import ConfigError

Stem = Literal["none", "dense", "conv"]
Activation = Literal["tanh", "relu", "none"]
Readout = Literal["last", "every", "mean", "max", "all_states"]
Merge = Literal["concat", "sum"]
DropoutKind = Literal["locked", "step"]
Optimizer = Literal["adam", "adamw", "sgd", "rmsprop", "adagrad"]
Decay = Literal["constant", "exponential", "cosine", "plateau"]
DecayUnit = Literal["step", "epoch"]
WeightDecay = Literal["decoupled", "l2"]
Loss = Literal["mse", "mae", "huber", "cross_entropy", "binary_cross_entropy"]
LossReduction = Literal["valid_step", "sequence_sum", "sequence_mean"]
Initialisation = Literal["uniform", "orthogonal", "identity"]
Dtype = Literal["float32", "float64"]


def _structural(default: Any) -> Any:
    return field(default=default, metadata={"structural": True})


def _free(default: Any) -> Any:
    return field(default=default, metadata={"structural": False})


@dataclass(frozen=True)
class Structure:
    """The structural fields of a `TrainConfig`: what trials of one pack have in common."""

    cell: str
    hidden_size: int | tuple[int, ...]
    num_layers: int
    bidirectional: bool
    bidirectional_merge: Merge
    embedding_size: int | None
    stem: Stem
    stem_size: int
    stem_kernel: int
    stem_activation: Activation
    readout: Readout
    head_sizes: tuple[int, ...]
    head_activation: Activation
    dropout_kind: DropoutKind
    batch_size: int
    tbptt_forward_steps: int | None
    tbptt_backward_steps: int | None
    tbptt_random_lengths: bool
    optimizer: Optimizer
    loss: Loss
    loss_reduction: LossReduction
    dtype: Dtype

    @property
    def layer_sizes(self) -> tuple[int, ...]:
        """Hidden units of each recurrent layer."""
        size = self.hidden_size
        return size if isinstance(size, tuple) else (size,) * self.num_layers

    @property
    def one_target(self) -> bool:
        """Whether a sequence has one target (all readouts but `every`)."""
        return self.readout != "every"


@dataclass(frozen=True)
class TrainConfig:
    """One trial's training settings; checked on construction.

    Token ids enter one-hot, or through an embedding of `embedding_size`. The `stem` is a dense
    layer or a causal convolution over `stem_kernel` steps in front of the recurrence; the layers
    of `head_sizes` stand between readout and output. `hidden_size` may be one number per layer,
    and `layer_dropout` one rate per gap between layers.
    `tbptt_forward_steps` is k1, the length of a truncated-BPTT segment in time steps; `None` is
    full BPTT (Williams & Peng 1990). `tbptt_backward_steps` is k2, how far a segment's gradient
    reaches back from its end; `None` is k1. `tbptt_random_lengths` draws each segment's length
    about k1 (streams only; Merity et al. 2018). Dropout rates are probabilities of dropping a unit.
    `dropout_kind` says whether the masks of inputs, gaps, output and head are drawn at each step or
    `locked` for a segment. `recurrent_dropout` drops h on its way into the gates, `weight_drop`
    single recurrent weights, zoneout keeps old values of h and c; `embedding_dropout` whole words.
    `head_l2` weighs Σw²/2 of the head's hidden kernels.
    `forget_bias` is the sum of torch's two; `chrono_time_steps` draws it for memories up to that
    long (Tallec & Ollivier 2018). The learning rate decays over `lr_decay_steps` optimizer
    steps or epochs (`lr_decay_unit`), by `lr_decay_rate` on a plateau, never below
    `lr_decay_floor` · `learning_rate`. `activation_regularisation` weighs the mean of h² of the
    last layer, the temporal one that of (h_t - h_(t-1))² (Merity et al. 2018). `patience` counts
    epochs without a better objective; `None` never stops early. `clip_norm` is a global gradient
    norm, `clip_value` bounds each number; `None` does not clip.

    Raises:
        ConfigError: a value breaks the law of its field, or two fields exclude each other.
    """

    cell: str = _structural("lstm")
    hidden_size: int | tuple[int, ...] = _structural(32)
    num_layers: int = _structural(1)
    bidirectional: bool = _structural(False)
    bidirectional_merge: Merge = _structural("concat")
    embedding_size: int | None = _structural(None)
    stem: Stem = _structural("none")
    stem_size: int = _structural(32)
    stem_kernel: int = _structural(3)
    stem_activation: Activation = _structural("tanh")
    readout: Readout = _structural("last")
    head_sizes: tuple[int, ...] = _structural(())
    head_activation: Activation = _structural("tanh")
    dropout_kind: DropoutKind = _structural("locked")
    batch_size: int = _structural(64)
    tbptt_forward_steps: int | None = _structural(None)
    tbptt_backward_steps: int | None = _structural(None)
    tbptt_random_lengths: bool = _structural(False)
    optimizer: Optimizer = _structural("adam")
    loss: Loss = _structural("mse")
    loss_reduction: LossReduction = _structural("valid_step")
    dtype: Dtype = _structural("float32")

    learning_rate: float = _free(1e-3)
    lr_decay: Decay = _free("exponential")
    lr_decay_rate: float = _free(1.0)
    lr_decay_steps: int = _free(1000)
    lr_decay_staircase: bool = _free(False)
    lr_decay_unit: DecayUnit = _free("step")
    lr_decay_floor: float = _free(0.0)
    lr_plateau_patience: int = _free(5)
    momentum: float = _free(0.0)
    nesterov: bool = _free(False)
    rmsprop_smoothing: float = _free(0.99)
    weight_decay: float = _free(0.0)
    weight_decay_kind: WeightDecay = _free("decoupled")
    activation_regularisation: float = _free(0.0)
    temporal_activation_regularisation: float = _free(0.0)
    input_dropout: float = _free(0.0)
    layer_dropout: float | tuple[float, ...] = _free(0.0)
    output_dropout: float = _free(0.0)
    embedding_dropout: float = _free(0.0)
    recurrent_dropout: float = _free(0.0)
    weight_drop: float = _free(0.0)
    zoneout_hidden: float = _free(0.0)
    zoneout_cell: float = _free(0.0)
    head_dropout: float = _free(0.0)
    head_l2: float = _free(0.0)
    clip_norm: float | None = _free(None)
    clip_value: float | None = _free(None)
    recurrent_init: Initialisation = _free("uniform")
    forget_bias: float | None = _free(None)
    chrono_time_steps: int | None = _free(None)
    max_epochs: int = _free(20)
    patience: int | None = _free(None)
    seed: int = _free(0)

    def __post_init__(self) -> None:
        lists_to_tuples(self)
        check_types(self, type_hints())
        check_ranges(self)
        check_combinations(self)
        if self.layer_dropout and self.num_layers == 1:
            # A search space draws both freely; with one layer there is nothing between layers.
            object.__setattr__(self, "layer_dropout", 0.0)

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> TrainConfig:
        """Build a configuration from names and values; an unknown name is an error."""
        names = [f.name for f in dataclasses.fields(cls)]
        unknown = sorted(set(values) - set(names))
        if unknown:
            raise ConfigError(f"training settings must be among {names}, but got {unknown}.")
        return cls(**dict(values))

    def structure(self) -> Structure:
        """Return the structural fields: the key under which trials share a pack."""
        return Structure(**{name: getattr(self, name) for name in structural_fields()})

    def to_dict(self) -> dict[str, Any]:
        """Return every field by name, as plain Python values."""
        return dataclasses.asdict(self)


def structural_fields() -> tuple[str, ...]:
    """Return the names of the fields that trials of one pack must share."""
    return tuple(f.name for f in dataclasses.fields(TrainConfig) if f.metadata["structural"])


def field_names() -> tuple[str, ...]:
    """Return the names of all training settings."""
    return tuple(f.name for f in dataclasses.fields(TrainConfig))


_HINTS: dict[str, Any] = {}


def type_hints() -> dict[str, Any]:
    """Return every setting's type by name."""
    if not _HINTS:
        _HINTS.update(get_type_hints(TrainConfig))
    return _HINTS


def check_setting(name: str, value: object) -> None:
    """Check one training setting by itself: its type and range, not how it goes with others.

    Raises:
        ConfigError: there is no such setting, or the value breaks its law.
    """
    if name not in field_names():
        raise ConfigError(f"training settings must be among {field_names()}, but got {name!r}.")
    alone = object.__new__(TrainConfig)
    for setting in dataclasses.fields(TrainConfig):
        object.__setattr__(alone, setting.name, setting.default)
    object.__setattr__(alone, name, value)
    lists_to_tuples(alone)
    check_types(alone, type_hints())
    check_ranges(alone)

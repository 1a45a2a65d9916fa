"""Every training setting, declared once: name, annotation, default, meaning, unit and range.

*Structural* settings are what trials of one pack have in common; *free* ones may differ from slot
to slot. The order of the fields is that of checkpoints and logs. Laws that span several settings
are in `laws`; `TrainConfig` checks all of them.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, get_type_hints

from trainers.annotations import choices
from trainers.config.cells import CELLS
from trainers.config.declaration import (
    AMOUNT,
    COUNT,
    PROBABILITY,
    Range,
    Setting,
    hashable,
    setting,
)
from trainers.config.losses import LOSSES
from trainers.config.optimizers import OPTIMIZERS
from trainers.errors import ConfigError

Architecture = Literal["plain", "encoder_decoder"]
Stem = Literal["none", "dense", "conv"]
Activation = Literal["tanh", "relu", "none"]
Readout = Literal["last", "every", "mean", "max", "all_states"]
Merge = Literal["concat", "sum"]
DropoutKind = Literal["locked", "step"]
Decay = Literal["constant", "exponential", "cosine", "plateau"]
DecayUnit = Literal["step", "epoch"]
WeightDecay = Literal["decoupled", "l2"]
LossReduction = Literal["valid_step", "sequence_sum", "sequence_mean"]
Initialisation = Literal["uniform", "orthogonal", "identity"]
Dtype = Literal["float32", "float64"]

_OPEN: dict[str, Collection[str]] = {
    "cell": CELLS,
    "optimizer": OPTIMIZERS,
    "loss": LOSSES,
}


def _rate(sentence: str, most: float = 0.5) -> Any:
    """Declare a probability of dropping something, `most` of what is typical."""
    return setting(
        "dropout", 0.0, sentence, unit="probability", within=PROBABILITY, typical=(0.0, most)
    )


# fmt: off

@dataclass(frozen=True)
class StructuralSettings:
    """What trials of one pack have in common; unchecked."""

    cell: str = setting("network", "lstm", "the recurrent cell")
    hidden_size: int | tuple[int, ...] = setting(
        "network", 32, "hidden units of a recurrent layer; a list gives one number per layer",
        unit="units", within=COUNT, typical=(16, 256),
    )
    num_layers: int = setting(
        "network", 1, "recurrent layers on top of each other",
        unit="layers", within=COUNT, typical=(1, 3),
    )
    architecture: Architecture = setting(
        "network", "plain",
        "plain: a head on what was read answers all steps at once; encoder_decoder: a second "
        "stack begins with its state and answers step by step (Sutskever et al. 2014)",
    )
    bidirectional: bool = setting("network", False, "whether each layer also reads backwards")
    bidirectional_merge: Merge = setting(
        "network", "concat", "how the outputs of both directions become one"
    )
    embedding_size: int | None = setting(
        "network", None, "size of a token's embedding; null: token ids enter one-hot",
        unit="features", within=COUNT, typical=(16, 128),
    )
    category_embeddings: tuple[tuple[int, ...], ...] = setting(
        "network", (),
        "embedded categorical inputs, each as [feature, rows, size], row 0 of the unknown; a "
        "sweep's default fits its data",
        within=AMOUNT, typical=((), ((0, 4, 2),)),
    )
    stem: Stem = setting(
        "network", "none",
        "what stands before the recurrence: nothing, a dense layer, a causal convolution",
    )
    stem_size: int = setting(
        "network", 32, "outputs of the stem", unit="features", within=COUNT, typical=(16, 128)
    )
    stem_kernel: int = setting(
        "network", 3, "how many steps a convolution sees", unit="steps", within=COUNT,
        typical=(3, 9),
    )
    stem_activation: Activation = setting("network", "tanh", "activation of the stem")
    readout: Readout = setting(
        "network", "last", "which outputs over time the head reads; all_states: every layer's last"
    )
    head_sizes: tuple[int, ...] = setting(
        "network", (), "hidden layers between readout and output, one number each",
        unit="units", within=COUNT, typical=((), (32,)),
    )
    head_activation: Activation = setting(
        "network", "tanh", "activation of the head's hidden layers"
    )
    dropout_kind: DropoutKind = setting(
        "dropout", "locked",
        "whether masks of inputs, gaps, output and head hold for a segment or for a step",
    )
    batch_size: int = setting(
        "training", 64, "sequences of a batch; of a stream its lanes",
        unit="sequences", within=COUNT, typical=(16, 256),
    )
    tbptt_forward_steps: int | None = setting(
        "truncated BPTT", None,
        "k1, the steps of a segment, one optimizer step each; null: full BPTT "
        "(Williams & Peng 1990)", unit="steps", within=COUNT, typical=(50, 200),
    )
    tbptt_backward_steps: int | None = setting(
        "truncated BPTT", None,
        "k2, how far back from a segment's end its gradient reaches; null: k1",
        unit="steps", within=COUNT, typical=(25, 200),
    )
    tbptt_random_lengths: bool = setting(
        "truncated BPTT", False, "draw each segment's length about k1, streams only "
        "(Merity et al. 2018)",
    )
    optimizer: str = setting("optimizer", "adam", "how a gradient becomes a step")
    loss: str = setting("loss", "mse", "what is minimised; a sweep's default fits its data")
    loss_reduction: LossReduction = setting(
        "loss", "valid_step",
        "mean over valid steps, sum per sequence, or mean of the sequences' means",
    )
    quantiles: tuple[float, ...] = setting(
        "loss", (0.1, 0.5, 0.9), "loss=quantile: the levels, ascending",
        within=Range(0, 1, above=True, below=True), typical=((0.1, 0.5, 0.9), (0.05, 0.5, 0.95)),
    )
    focal_gamma: float = setting(
        "loss", 2.0, "loss=focal: how much less an easy answer weighs; 0: cross_entropy "
        "(Lin et al. 2017)", within=AMOUNT, typical=(0.5, 5.0),
    )
    dtype: Dtype = setting("network", "float32", "precision of weights and arithmetic")
    # No setting that anybody writes: the key of the drawn data options, which a sweep fills in
    # (`trainers.data.choices`). Trials of other data can't share a pack.
    data_choice: str = ""
    # Likewise what a decoder must know of its data (`trainers.config.fitting.decoder_settings`):
    # whether answers have lengths of their own, the steps that it answers at most, the features
    # that are known ahead of each, and which features of the inputs are the targets' own past.
    pairs: bool = False
    horizon: int = 1
    ahead_size: int = 0
    past_targets: tuple[int, ...] = ()

    @property
    def decodes(self) -> bool:
        """Whether a decoder answers, step by step."""
        return self.architecture == "encoder_decoder"

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
class TrainingSettings(StructuralSettings):
    """All settings of a trial; unchecked."""

    learning_rate: float = setting(
        "learning rate", 1e-3, "the first step size", within=AMOUNT, typical=(1e-4, 1e-1)
    )
    lr_decay: Decay = setting("learning rate", "exponential", "how the learning rate decays")
    lr_decay_rate: float = setting(
        "learning rate", 1.0, "exponential: factor over lr_decay_steps; plateau: of a reduction",
        within=Range(0, 1, above=True), typical=(0.1, 1.0),
    )
    lr_decay_steps: int = setting(
        "learning rate", 1000, "exponential and cosine: the span of the decay",
        unit="steps or epochs", within=COUNT, typical=(100, 10_000),
    )
    lr_decay_staircase: bool = setting(
        "learning rate", False, "exponential: decay at whole multiples of lr_decay_steps only"
    )
    lr_decay_unit: DecayUnit = setting(
        "learning rate", "step", "what lr_decay_steps counts: optimizer steps or epochs"
    )
    lr_decay_floor: float = setting(
        "learning rate", 0.0, "the learning rate never falls below this share of the first",
        within=Range(0, 1), typical=(0.0, 0.1),
    )
    lr_plateau_patience: int = setting(
        "learning rate", 5, "plateau: epochs without a better objective before a reduction",
        unit="epochs", within=AMOUNT, typical=(2, 10),
    )
    momentum: float = setting(
        "optimizer", 0.0, "momentum of sgd and rmsprop", within=PROBABILITY, typical=(0.0, 0.95)
    )
    nesterov: bool = setting("optimizer", False, "sgd: Nesterov's momentum")
    rmsprop_smoothing: float = setting(
        "optimizer", 0.99, "rmsprop: how much of the mean square gradient stays at a step",
        within=PROBABILITY, typical=(0.9, 0.99),
    )
    weight_decay: float = setting(
        "regularisation", 0.0, "pull on all weights", within=AMOUNT, typical=(1e-6, 1e-2)
    )
    weight_decay_kind: WeightDecay = setting(
        "regularisation", "decoupled", "decay beside the optimizer, or a penalty in the gradient"
    )
    activation_regularisation: float = setting(
        "regularisation", 0.0, "weighs the mean of h² of the last layer (Merity et al. 2018)",
        within=AMOUNT, typical=(0.1, 2.0),
    )
    temporal_activation_regularisation: float = setting(
        "regularisation", 0.0, "weighs the mean of (h_t - h_(t-1))² of the last layer",
        within=AMOUNT, typical=(0.1, 2.0),
    )
    input_dropout: float = _rate("drops the recurrence's inputs")
    layer_dropout: float | tuple[float, ...] = _rate(
        "drops units between recurrent layers; a list gives one rate per gap; 0 with one layer"
    )
    output_dropout: float = _rate("drops outputs of the last recurrent layer")
    embedding_dropout: float = _rate("drops whole words of the tokens' embedding", most=0.2)
    recurrent_dropout: float = _rate("drops h on its way into the gates (Gal & Ghahramani 2016)")
    weight_drop: float = _rate("drops single recurrent weights (Merity et al. 2018)")
    zoneout_hidden: float = _rate("keeps old values of h (Krueger et al. 2017)", most=0.2)
    zoneout_cell: float = _rate("keeps old values of c (Krueger et al. 2017)")
    head_dropout: float = _rate("drops units of the head's hidden layers")
    head_l2: float = setting(
        "regularisation", 0.0, "weighs Σw²/2 of the head's hidden kernels", within=AMOUNT,
        typical=(1e-6, 1e-2),
    )
    clip_norm: float | None = setting(
        "optimizer", None, "largest norm of the whole gradient; null does not clip",
        within=Range(0, above=True), typical=(0.1, 10.0),
    )
    clip_value: float | None = setting(
        "optimizer", None, "largest size of each number of the gradient; null does not clip",
        within=Range(0, above=True), typical=(0.1, 10.0),
    )
    recurrent_init: Initialisation = setting(
        "first weights", "uniform", "first recurrent weights; identity as Le et al. 2015"
    )
    forget_bias: float | None = setting(
        "first weights", None, "first bias of the forget gate, the sum of torch's two; null: drawn",
        typical=(0.0, 2.0),
    )
    chrono_time_steps: int | None = setting(
        "first weights", None,
        "draws the gates' biases for memories up to that long (Tallec & Ollivier 2018)",
        unit="steps", within=Range(3), typical=(10, 500),
    )
    first_weights: str | None = setting(
        "first weights", None,
        "begin with a model's weights: models:/NAME@champion, SWEEP/TRIAL or ./FOLDER; null: drawn",
        typical=("models:/load@champion", "load/3"),
    )
    max_epochs: int = setting(
        "training", 20, "passes over the training part, at most", unit="epochs", within=COUNT,
        typical=(10, 100),
    )
    patience: int | None = setting(
        "training", None, "epochs without a better objective before a trial ends; null: never",
        unit="epochs", within=COUNT, typical=(3, 10),
    )
    teacher_forcing: float = setting(
        "training", 1.0,
        "encoder_decoder: how likely a step of training gets the true answer before it, not its "
        "own (Williams & Zipser 1989); evaluation always gets its own",
        unit="probability", within=Range(0, 1), typical=(0.0, 1.0),
    )
    teacher_forcing_decay: float = setting(
        "training", 1.0, "factor of teacher_forcing an epoch (scheduled sampling, Bengio et al. "
        "2015)", within=Range(0, 1), typical=(0.8, 1.0),
    )
    seed: int = setting(
        "training", 0, "of first weights, data order and dropout", within=AMOUNT, typical=(0, 9)
    )
# fmt: on


def choices_of(name: str, hint: Any) -> Collection[str]:
    """Return the texts that a setting may be: an open set's names, or those of its Literal."""
    return _OPEN.get(name) or choices(hint)


@cache
def settings() -> Mapping[str, Setting]:
    """Return every training setting that can be written, by name, in the order of the fields."""
    structural = set(structural_fields())
    hints = get_type_hints(TrainingSettings)
    return {
        f.name: Setting(
            f.name, hints[f.name], f.default, f.name in structural,
            choices_of(f.name, hints[f.name]), **f.metadata,
        )
        for f in dataclasses.fields(TrainingSettings)
        if f.metadata
    }  # fmt: skip


def check_setting(name: str, value: object) -> None:
    """Check one training setting by itself: its type and range, not how it goes with others.

    Raises:
        ConfigError: there is no such setting, or the value breaks its law.
    """
    _check_known([name], set(settings()))
    settings()[name].check(value)


def check_names(names: Collection[str]) -> None:
    """Check that all of these are fields of a trial's settings.

    Raises:
        ConfigError: some are not.
    """
    _check_known(names, {f.name for f in dataclasses.fields(TrainingSettings)})


def _check_known(names: Collection[str], known: Collection[str]) -> None:
    unknown = sorted(set(names) - set(known))
    if unknown:
        raise ConfigError(f"training settings must be among {[*settings()]}, but got {unknown}.")


def unchecked(values: Mapping[str, Any]) -> TrainingSettings:
    """Return settings as given, defaults elsewhere, whatever laws they break."""
    return TrainingSettings(**{name: hashable(value) for name, value in values.items()})


def structural_fields() -> tuple[str, ...]:
    """Return the names of the fields that trials of one pack must share."""
    return tuple(f.name for f in dataclasses.fields(StructuralSettings))


def field_names() -> tuple[str, ...]:
    """Return the names of all training settings."""
    return tuple(settings())


def filled_in() -> frozenset[str]:
    """Return the names of the fields that nobody writes: a sweep fills them in from its data."""
    return frozenset(f.name for f in dataclasses.fields(TrainingSettings)) - {*settings()}

"""The laws of `TrainConfig`'s fields: type, range, and which settings exclude each other."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, get_args, get_origin

from trainers.config.cells import CELLS
from trainers.errors import ConfigError
from trainers.registry import Registry, UnknownEntry

if TYPE_CHECKING:
    from trainers.config.train_config import TrainConfig

_TUPLES = ("hidden_size", "layer_dropout", "head_sizes")
_COUNTS = (
    "hidden_size", "num_layers", "batch_size", "max_epochs", "lr_decay_steps", "stem_size",
    "stem_kernel", "head_sizes",
)  # fmt: skip
_OPTIONAL_COUNTS = (
    "tbptt_forward_steps", "tbptt_backward_steps", "patience", "embedding_size",
)  # fmt: skip
_PROBABILITIES = (
    "input_dropout", "layer_dropout", "output_dropout", "embedding_dropout", "head_dropout",
    "recurrent_dropout", "weight_drop", "zoneout_hidden", "zoneout_cell", "momentum",
    "rmsprop_smoothing",
)  # fmt: skip
_AMOUNTS = (
    "learning_rate", "weight_decay", "head_l2", "activation_regularisation",
    "temporal_activation_regularisation",
)  # fmt: skip
_REGISTRIES: dict[str, Registry[Any]] = {"cell": CELLS}


def lists_to_tuples(config: TrainConfig) -> None:
    """Turn the lists that YAML and JSON have into the tuples that can be hashed."""
    for name in _TUPLES:
        value = getattr(config, name)
        if isinstance(value, list):
            object.__setattr__(config, name, tuple(value))


def check_types(config: TrainConfig, hints: Mapping[str, Any]) -> None:
    """Check every field against its annotation; an integer passes for a float, a bool for neither.

    Raises:
        ConfigError: a value is of another type, or not among a field's choices.
    """
    for name, hint in hints.items():
        value = getattr(config, name)
        if name in _REGISTRIES and isinstance(value, str):
            _check_entry(_REGISTRIES[name], value)
        options = get_args(hint)
        if options and all(isinstance(option, str) for option in options):
            if value not in options:
                raise ConfigError(f"{name} must be one of {list(options)}, but got {value!r}.")
        elif not any(_is_of(value, kind) for kind in _kinds(hint)):
            wanted = " or ".join(_name(kind) for kind in _kinds(hint))
            raise ConfigError(f"{name} must be of type {wanted}, but got {value!r}.")


def _check_entry(registry: Registry[Any], name: str) -> None:
    try:
        registry[name]
    except UnknownEntry as error:
        raise ConfigError(f"{error}.") from error


def _kinds(hint: Any) -> tuple[Any, ...]:
    single = isinstance(hint, type) or get_origin(hint) is tuple
    return (hint,) if single else get_args(hint)


def _is_of(value: object, kind: Any) -> bool:
    if get_origin(kind) is tuple:
        return isinstance(value, tuple) and all(_is_of(v, get_args(kind)[0]) for v in value)
    if isinstance(value, bool):
        return kind is bool
    return isinstance(value, (int, float) if kind is float else kind)


def _name(kind: Any) -> str:
    if get_origin(kind) is tuple:
        return f"list of {get_args(kind)[0].__name__}"
    return "null" if kind is type(None) else str(kind.__name__)


def _require(holds: bool, law: str, name: str, value: object) -> None:
    if not holds:
        raise ConfigError(f"`{law}` must hold, but got {name}={value!r}.")


def _numbers(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)


def check_ranges(config: TrainConfig) -> None:
    """Check every field's range by itself.

    Raises:
        ConfigError: a value lies outside.
    """
    for name in _COUNTS:
        value = getattr(config, name)
        _require(all(v >= 1 for v in _numbers(value)), f"{name} >= 1", name, value)
    for name in _PROBABILITIES:
        value = getattr(config, name)
        _require(all(0.0 <= v < 1.0 for v in _numbers(value)), f"0 <= {name} < 1", name, value)
    for name in _OPTIONAL_COUNTS:
        value = getattr(config, name)
        _require(value is None or value >= 1, f"{name} >= 1 or null", name, value)
    for name in _AMOUNTS:
        value = getattr(config, name)
        _require(math.isfinite(value) and value >= 0, f"{name} >= 0 and finite", name, value)
    rate = config.lr_decay_rate
    _require(0 < rate <= 1, "0 < lr_decay_rate <= 1", "lr_decay_rate", rate)
    floor = config.lr_decay_floor
    _require(0 <= floor <= 1, "0 <= lr_decay_floor <= 1", "lr_decay_floor", floor)
    calm = config.lr_plateau_patience
    _require(calm >= 0, "lr_plateau_patience >= 0", "lr_plateau_patience", calm)
    for name in ("clip_norm", "clip_value"):
        clip = getattr(config, name)
        _require(clip is None or clip > 0, f"{name} > 0 or null", name, clip)
    chrono = config.chrono_time_steps
    law = "chrono_time_steps >= 3 or null"
    _require(chrono is None or chrono >= 3, law, "chrono_time_steps", chrono)
    _require(config.seed >= 0, "seed >= 0", "seed", config.seed)


def check_combinations(config: TrainConfig) -> None:
    """Check the settings that obey a law together.

    Raises:
        ConfigError: two of them exclude each other.
    """
    _check_truncation(config)
    _check_layers(config)
    _check_first_weights(config)
    _check_optimizer(config)


def _check_optimizer(config: TrainConfig) -> None:
    if config.nesterov and config.momentum == 0:
        raise ConfigError("nesterov=True needs momentum > 0, but got momentum=0.")
    if config.optimizer == "adamw" and config.weight_decay_kind == "l2":
        raise ConfigError(
            "optimizer=adamw decouples weight decay, but got weight_decay_kind='l2'; choose adam, "
            "or decoupled."
        )
    if config.clip_norm is not None and config.clip_value is not None:
        raise ConfigError(
            f"a gradient is clipped in one way, but got clip_norm={config.clip_norm} and "
            f"clip_value={config.clip_value}; set one of them to null."
        )
    if config.lr_decay == "plateau" and config.lr_decay_rate == 1:
        raise ConfigError(
            "lr_decay=plateau needs lr_decay_rate < 1, but got lr_decay_rate=1; set the factor "
            "of a reduction, typically 0.1 to 0.5."
        )


def _check_truncation(config: TrainConfig) -> None:
    if config.bidirectional and config.tbptt_forward_steps is not None:
        raise ConfigError(
            "a bidirectional network can't carry state, so it needs full BPTT, but got "
            f"bidirectional=True with tbptt_forward_steps={config.tbptt_forward_steps}; set "
            "tbptt_forward_steps to null, or bidirectional to false."
        )
    for name in ("tbptt_backward_steps", "tbptt_random_lengths"):
        if getattr(config, name) and config.tbptt_forward_steps is None:
            raise ConfigError(
                f"{name} needs tbptt_forward_steps (k1), but got {name}={getattr(config, name)} "
                f"with tbptt_forward_steps=None; set tbptt_forward_steps."
            )


def _check_layers(config: TrainConfig) -> None:
    layers = config.num_layers
    for name, wanted in (("hidden_size", layers), ("layer_dropout", layers - 1)):
        value = getattr(config, name)
        if isinstance(value, tuple) and len(value) != wanted:
            raise ConfigError(
                f"{name} must be one number or a list of {wanted} for num_layers={layers}, "
                f"but got {list(value)}."
            )
    for name in ("head_dropout", "head_l2"):
        value = getattr(config, name)
        if value and not config.head_sizes:
            raise ConfigError(
                f"{name} acts on the head's hidden layers, but got {name}={value} with "
                f"head_sizes=[]; set head_sizes, or {name} to 0."
            )
    if config.zoneout_cell and not CELLS[config.cell].carries_c:
        raise ConfigError(
            f"zoneout_cell needs a cell with c, but got {config.zoneout_cell} with "
            f"cell={config.cell!r}; set it to 0, or zoneout_hidden."
        )
    if config.embedding_dropout and config.embedding_size is None:
        raise ConfigError(
            f"embedding_dropout needs an embedding, but got {config.embedding_dropout} with "
            "embedding_size=null; set embedding_size, or embedding_dropout to 0."
        )


def _check_first_weights(config: TrainConfig) -> None:
    if config.recurrent_init == "identity" and not CELLS[config.cell].identity_init:
        raise ConfigError(
            "recurrent_init=identity needs cell rnn_relu or rnn_tanh (Le et al. 2015), but got "
            f"cell={config.cell!r}; choose uniform or orthogonal."
        )
    if config.forget_bias is not None and not CELLS[config.cell].forgets:
        raise ConfigError(
            f"forget_bias needs cell=lstm, but got cell={config.cell!r}; set forget_bias to null."
        )
    if config.chrono_time_steps is None:
        return
    if not CELLS[config.cell].remembers:
        raise ConfigError(
            f"chrono_time_steps needs a cell with gates, but got cell={config.cell!r}; "
            "set chrono_time_steps to null."
        )
    if config.forget_bias is not None:
        raise ConfigError(
            f"chrono_time_steps draws the forget bias, but got forget_bias={config.forget_bias} "
            "as well; set one of them to null."
        )

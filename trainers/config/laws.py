"""The laws that span several training settings, as data.

`TrainConfig` checks all of them; a sweep file is checked by the same objects, as far as it fixes or
draws their fields.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from trainers.config.cells import CELLS
from trainers.config.declaration import plain
from trainers.config.optimizers import OPTIMIZERS
from trainers.config.settings import TrainingSettings
from trainers.errors import ConfigError


@dataclass(frozen=True)
class Law:
    """What some settings must obey together.

    Attributes:
        fields: The settings that it is about; `holds` reads no others.
        holds: Whether settings obey it; each of them has its right type and range.
        text: What must hold, for people.
        way_out: What to do about settings that break it.
    """

    fields: tuple[str, ...]
    holds: Callable[[TrainingSettings], bool]
    text: str
    way_out: str

    def check(self, settings: TrainingSettings) -> None:
        """Check settings.

        Raises:
            ConfigError: they break the law; one line with it, the values and the way out.
        """
        if not self.holds(settings):
            got = [f"{name}={plain(getattr(settings, name))!r}" for name in self.fields]
            raise ConfigError(f"{self.text}, but got {' with '.join(got)}; {self.way_out}.")


LAWS = (
    Law(
        ("bidirectional", "tbptt_forward_steps"),
        lambda c: not c.bidirectional or c.tbptt_forward_steps is None,
        "a bidirectional network can't carry state, so it needs full BPTT",
        "set tbptt_forward_steps to null, or bidirectional to false",
    ),
    Law(
        ("architecture", "bidirectional"),
        lambda c: c.architecture == "plain" or not c.bidirectional,
        "a decoder begins with the state of an encoder that reads forwards",
        "set bidirectional to false, or architecture to plain",
    ),
    Law(
        ("architecture", "tbptt_forward_steps"),
        lambda c: c.architecture == "plain" or c.tbptt_forward_steps is None,
        "a decoder's gradient reaches through the whole encoder, so it needs full BPTT",
        "set tbptt_forward_steps to null, or architecture to plain",
    ),
    Law(
        ("tbptt_backward_steps", "tbptt_forward_steps"),
        lambda c: c.tbptt_backward_steps is None or c.tbptt_forward_steps is not None,
        "tbptt_backward_steps (k2) needs tbptt_forward_steps (k1)",
        "set tbptt_forward_steps, or tbptt_backward_steps to null",
    ),
    Law(
        ("tbptt_random_lengths", "tbptt_forward_steps"),
        lambda c: not c.tbptt_random_lengths or c.tbptt_forward_steps is not None,
        "tbptt_random_lengths needs tbptt_forward_steps (k1)",
        "set tbptt_forward_steps, or tbptt_random_lengths to false",
    ),
    Law(
        ("hidden_size", "num_layers"),
        lambda c: _is_list_of(c.hidden_size, c.num_layers),
        "hidden_size must be one number, or a list of num_layers",
        "give one number per layer",
    ),
    Law(
        ("layer_dropout", "num_layers"),
        lambda c: _is_list_of(c.layer_dropout, c.num_layers - 1),
        "layer_dropout must be one number, or a list of num_layers - 1",
        "give one rate per gap between layers",
    ),
    Law(
        ("head_dropout", "head_sizes"),
        lambda c: not c.head_dropout or bool(c.head_sizes),
        "head_dropout acts on the head's hidden layers",
        "set head_sizes, or head_dropout to 0",
    ),
    Law(
        ("head_l2", "head_sizes"),
        lambda c: not c.head_l2 or bool(c.head_sizes),
        "head_l2 acts on the head's hidden layers",
        "set head_sizes, or head_l2 to 0",
    ),
    Law(
        ("zoneout_cell", "cell"),
        lambda c: not c.zoneout_cell or CELLS[c.cell].carries_c,
        "zoneout_cell needs a cell with c, as lstm",
        "set it to 0, or zoneout_hidden",
    ),
    Law(
        ("recurrent_dropout", "cell"),
        lambda c: not c.recurrent_dropout or not CELLS[c.cell].linear,
        "recurrent_dropout needs a cell whose gates read h, as gru",
        "set it to 0, or zoneout_hidden",
    ),
    Law(
        ("weight_drop", "cell"),
        lambda c: not c.weight_drop or not CELLS[c.cell].linear,
        "weight_drop needs a cell with recurrent weights, as gru",
        "set it to 0",
    ),
    Law(
        ("embedding_dropout", "embedding_size"),
        lambda c: not c.embedding_dropout or c.embedding_size is not None,
        "embedding_dropout needs an embedding",
        "set embedding_size, or embedding_dropout to 0",
    ),
    Law(
        ("category_embeddings",),
        lambda c: _are_embeddings(c.category_embeddings),
        "category_embeddings must be [feature, rows, size] each, features ascending, rows >= 2 and "
        "size >= 1",
        "leave it open: a sweep takes the data's",
    ),
    Law(
        ("category_embeddings", "embedding_size"),
        lambda c: not c.category_embeddings or c.embedding_size is None,
        "category_embeddings are of features, embedding_size of token ids",
        "set embedding_size to null, or category_embeddings to []",
    ),
    Law(
        ("quantiles",),
        lambda c: bool(c.quantiles) and list(c.quantiles) == sorted(set(c.quantiles)),
        "quantiles must be at least one level, each higher than the one before",
        "list levels between 0 and 1 in ascending order, as [0.1, 0.5, 0.9]",
    ),
    Law(
        ("recurrent_init", "cell"),
        lambda c: c.recurrent_init != "identity" or CELLS[c.cell].identity_init,
        "recurrent_init=identity needs a cell without gates, as rnn_relu (Le et al. 2015)",
        "choose uniform",
    ),
    Law(
        ("cell", "recurrent_init"),
        lambda c: c.recurrent_init != "orthogonal" or not CELLS[c.cell].linear,
        "recurrent_init=orthogonal needs a cell with recurrent weights, as gru",
        "choose uniform",
    ),
    Law(
        ("forget_bias", "cell"),
        lambda c: c.forget_bias is None or CELLS[c.cell].forgets,
        "forget_bias needs a cell with a forget gate, as lstm",
        "set forget_bias to null",
    ),
    Law(
        ("chrono_time_steps", "cell"),
        lambda c: c.chrono_time_steps is None or CELLS[c.cell].remembers,
        "chrono_time_steps needs a cell with gates",
        "set chrono_time_steps to null",
    ),
    Law(
        ("chrono_time_steps", "forget_bias"),
        lambda c: c.chrono_time_steps is None or c.forget_bias is None,
        "chrono_time_steps draws the forget bias",
        "set one of them to null",
    ),
    Law(
        ("nesterov", "momentum"),
        lambda c: not c.nesterov or c.momentum > 0,
        "nesterov needs momentum > 0",
        "set momentum, or nesterov to false",
    ),
    Law(
        ("optimizer", "weight_decay_kind"),
        lambda c: not OPTIMIZERS[c.optimizer].decoupled or c.weight_decay_kind != "l2",
        "adamw decouples weight decay",
        "choose adam, or decoupled",
    ),
    Law(
        ("clip_norm", "clip_value"),
        lambda c: c.clip_norm is None or c.clip_value is None,
        "a gradient is clipped in one way",
        "set one of them to null",
    ),
    Law(
        ("lr_decay", "lr_decay_rate"),
        lambda c: c.lr_decay != "plateau" or c.lr_decay_rate < 1,
        "lr_decay=plateau needs lr_decay_rate < 1",
        "set the factor of a reduction, typically 0.1 to 0.5",
    ),
)


def _are_embeddings(given: tuple[tuple[int, ...], ...]) -> bool:
    if any(len(one) != 3 or one[1] < 2 or one[2] < 1 for one in given):
        return False
    features = [one[0] for one in given]
    return features == sorted(set(features))


def _is_list_of(value: Any, length: int) -> bool:
    return not isinstance(value, tuple) or len(value) == length

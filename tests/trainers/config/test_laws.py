"""Every law that spans several settings has an example that breaks it and one that holds."""

from __future__ import annotations

import pytest

from trainers.config.laws import LAWS, Law
from trainers.config.settings import TrainingSettings, field_names, unchecked
from trainers.config.train_config import TrainConfig
from trainers.errors import ConfigError

# By the law's fields: what breaks it, what nearly does.
EXAMPLES = {
    ("bidirectional", "tbptt_forward_steps"): (
        {"bidirectional": True, "tbptt_forward_steps": 5},
        {"bidirectional": False, "tbptt_forward_steps": 5},
    ),
    ("architecture", "bidirectional"): (
        {"architecture": "encoder_decoder", "bidirectional": True},
        {"architecture": "plain", "bidirectional": True},
    ),
    ("architecture", "tbptt_forward_steps"): (
        {"architecture": "encoder_decoder", "tbptt_forward_steps": 5},
        {"architecture": "plain", "tbptt_forward_steps": 5},
    ),
    ("tbptt_backward_steps", "tbptt_forward_steps"): (
        {"tbptt_backward_steps": 5},
        {"tbptt_backward_steps": 5, "tbptt_forward_steps": 3},
    ),
    ("tbptt_random_lengths", "tbptt_forward_steps"): (
        {"tbptt_random_lengths": True},
        {"tbptt_random_lengths": True, "tbptt_forward_steps": 3},
    ),
    ("hidden_size", "num_layers"): (
        {"hidden_size": [4, 5]},
        {"hidden_size": [4, 5], "num_layers": 2},
    ),
    ("layer_dropout", "num_layers"): (
        {"layer_dropout": [0.1, 0.1], "num_layers": 2},
        {"layer_dropout": [0.1], "num_layers": 2},
    ),
    ("head_dropout", "head_sizes"): (
        {"head_dropout": 0.2},
        {"head_dropout": 0.2, "head_sizes": [4]},
    ),
    ("head_l2", "head_sizes"): ({"head_l2": 0.2}, {"head_l2": 0.2, "head_sizes": [4]}),
    ("zoneout_cell", "cell"): (
        {"zoneout_cell": 0.2, "cell": "gru"},
        {"zoneout_cell": 0.2, "cell": "lstm_layernorm"},
    ),
    ("recurrent_dropout", "cell"): (
        {"recurrent_dropout": 0.2, "cell": "mingru"},
        {"recurrent_dropout": 0.2, "cell": "gru"},
    ),
    ("weight_drop", "cell"): (
        {"weight_drop": 0.2, "cell": "minlstm"},
        {"weight_drop": 0.2, "cell": "lstm"},
    ),
    ("embedding_dropout", "embedding_size"): (
        {"embedding_dropout": 0.2},
        {"embedding_dropout": 0.2, "embedding_size": 4},
    ),
    ("category_embeddings",): (
        {"category_embeddings": [[2, 5, 3], [2, 4, 1]]},
        {"category_embeddings": [[2, 5, 3], [3, 2, 1]]},
    ),
    ("category_embeddings", "embedding_size"): (
        {"category_embeddings": [[2, 5, 3]], "embedding_size": 4},
        {"category_embeddings": [], "embedding_size": 4},
    ),
    ("quantiles",): ({"quantiles": [0.5, 0.1]}, {"quantiles": [0.5]}),
    ("recurrent_init", "cell"): (
        {"recurrent_init": "identity", "cell": "gru"},
        {"recurrent_init": "identity", "cell": "rnn_tanh"},
    ),
    ("cell", "recurrent_init"): (
        {"cell": "mingru", "recurrent_init": "orthogonal"},
        {"cell": "gru", "recurrent_init": "orthogonal"},
    ),
    ("forget_bias", "cell"): (
        {"forget_bias": 1.0, "cell": "gru"},
        {"forget_bias": 1.0, "cell": "lstm"},
    ),
    ("chrono_time_steps", "cell"): (
        {"chrono_time_steps": 9, "cell": "rnn_relu"},
        {"chrono_time_steps": 9, "cell": "gru"},
    ),
    ("chrono_time_steps", "forget_bias"): (
        {"chrono_time_steps": 9, "forget_bias": 1.0},
        {"chrono_time_steps": 9, "forget_bias": None},
    ),
    ("nesterov", "momentum"): ({"nesterov": True}, {"nesterov": True, "momentum": 0.9}),
    ("optimizer", "weight_decay_kind"): (
        {"optimizer": "adamw", "weight_decay_kind": "l2"},
        {"optimizer": "adam", "weight_decay_kind": "l2"},
    ),
    ("clip_norm", "clip_value"): ({"clip_norm": 1.0, "clip_value": 1.0}, {"clip_value": 1.0}),
    ("lr_decay", "lr_decay_rate"): (
        {"lr_decay": "plateau"},
        {"lr_decay": "plateau", "lr_decay_rate": 0.5},
    ),
}
each_law = pytest.mark.parametrize("law", LAWS, ids=lambda law: "-".join(law.fields))


class Watched:
    """Settings that note which of their fields are read."""

    def __init__(self, settings: TrainingSettings) -> None:
        self.settings = settings
        self.read: set[str] = set()

    def __getattr__(self, name: str) -> object:
        self.read.add(name)
        return getattr(self.settings, name)


def test_every_example_is_one_of_a_law():
    assert list(EXAMPLES) == [law.fields for law in LAWS]


@each_law
def test_what_breaks_a_law_is_refused_with_law_values_and_way_out_in_one_line(law: Law):
    broken, _ = EXAMPLES[law.fields]
    with pytest.raises(ConfigError) as caught:
        TrainConfig(**broken)
    values = [f"{name}={broken[name]!r}" for name in law.fields if name in broken]
    text = str(caught.value)
    assert text.startswith(f"{law.text}, but got ")
    assert text.endswith(f"; {law.way_out}.")
    assert all(value in text for value in values)
    assert "\n" not in text


@each_law
def test_what_holds_is_accepted(law: Law):
    _, holds = EXAMPLES[law.fields]
    TrainConfig(**holds)


@each_law
def test_a_law_reads_its_own_fields_and_no_others(law: Law):
    assert set(law.fields) <= set(field_names())
    read = set()
    for example in EXAMPLES[law.fields]:
        watched = Watched(unchecked(example))
        law.holds(watched)
        read |= watched.read
    assert read == set(law.fields)

"""A trained trial used without its data: raw values in, own units and class names out."""

import base64
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from tests.trainers.factory import ACCURACY, wrap
from tests.trainers.portable_factory import (
    LENGTHS,
    MASK,
    RAW,
    SHIFT,
    characters,
    named_classes,
    raw_records,
    regression,
    trained,
)
from trainers.data.interface import Interface
from trainers.errors import CheckpointError, ConfigError, DataError
from trainers.learning.checkpoint import read_checkpoint
from trainers.use.export import named_weights
from trainers.use.model_files import WEIGHTS_FILE
from trainers.use.portable import CONFIG_FILE, PortableModel
from trainers.use.records import Encoder

OUTSIDE = Path(__file__).parents[1] / "conformance" / "outside"


def reread(model, tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    model.write(folder, {"sweep": "s"})
    return PortableModel.read(folder)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"cell": "gru", "num_layers": 2, "head_sizes": (4,)},
        {"cell": "lstm_layernorm", "zoneout_hidden": 0.3},
        {"stem": "conv", "stem_size": 3, "dtype": "float64"},
        {"bidirectional": True},
        {"loss": "outside_loss:GAUSSIAN"},  # two outputs per target: the answer is their mean
    ],
)
@pytest.mark.parametrize("readout", ["every", "last", "mean"])
def test_answers_in_own_units_give_the_error_that_evaluation_gives(
    tmp_path, monkeypatch, readout, fields
):
    monkeypatch.syspath_prepend(OUTSIDE)
    data = regression(one_target=readout != "every")
    pack, model = trained(tmp_path, data, readout=readout, **fields)
    answers = reread(model, tmp_path).predict(raw_records())
    last = np.array(LENGTHS) - 1
    own = data.train.targets[..., 0] * 100 + 300
    if readout == "every":
        predicted = np.concatenate([answer["load"] for answer in answers])
        assert [len(answer["load"]) for answer in answers] == LENGTHS
        wanted = own[MASK]
    else:
        predicted = np.array([answer["load"] for answer in answers])
        wanted = own[np.arange(4), last]
    rmse = np.sqrt(np.mean((predicted - wanted) ** 2))
    assert rmse == pytest.approx(pack.evaluate(0, "train")["rmse"], rel=1e-6)


def test_each_sequence_is_answered_as_alone_whatever_its_neighbours_and_gaps(tmp_path):
    _, model = trained(tmp_path, regression(), readout="every", cell="gru")
    together = model.predict(raw_records())
    alone = [model.predict([record])[0] for record in raw_records()]
    for one, other in zip(together, alone, strict=True):
        np.testing.assert_allclose(one["load"], other["load"], rtol=1e-6)
    # A gap, told by null or by the mask, holds the state: as if the step were not there.
    short, gap = RAW[0][[0, 1, 3]].tolist(), RAW[0, :4].tolist()
    plain = model.predict([{"steps": short}])[0]["load"]
    masked = model.predict([{"steps": gap, "mask": [True, True, False, True]}])[0]["load"]
    gap[2][1] = None
    null = model.predict([{"steps": gap}])[0]["load"]
    for answer in (masked, null):
        assert answer[2] is None
        np.testing.assert_allclose([answer[i] for i in (0, 1, 3)], plain, rtol=1e-6)


def test_a_step_that_exists_without_input_is_zero_to_the_network(tmp_path):
    _, model = trained(tmp_path, regression(), readout="every")
    empty = {"steps": [RAW[0, 0].tolist(), [None, None]], "mask": [True, True]}
    zero = {"steps": [RAW[0, 0].tolist(), SHIFT.tolist()]}
    answers = model.predict([empty, zero])
    assert answers[0] == answers[1]


def test_classes_go_by_their_names(tmp_path):
    data = named_classes()
    labels, names = data.train, data.target_names
    fields = {"readout": "every", "loss": "cross_entropy"}
    pack, model = trained(tmp_path, data, ACCURACY, **fields)
    records = [
        {"steps": labels.inputs[row, :length], "probabilities": True}
        for row, length in enumerate(LENGTHS)
    ]
    answers = reread(model, tmp_path).predict(records)
    chosen = [name for answer in answers for name in answer["class"]]
    actual = [names[n] for n in labels.targets[MASK]]
    accuracy = np.mean([a == b for a, b in zip(chosen, actual, strict=True)])
    assert accuracy == pytest.approx(pack.evaluate(0, "train")["accuracy"])
    shown = answers[0]["probabilities"]
    assert list(shown) == list(names)
    assert sum(shown[name][0] for name in names) == pytest.approx(1)
    assert answers[0]["probability"][0] == max(shown[name][0] for name in names)
    assert "probabilities" not in model.predict([{"steps": labels.inputs[0]}])[0]


def test_a_network_of_tokens_takes_text_or_ids(tmp_path):
    data, pack, model = characters(tmp_path)
    by_ids, by_text, unknown = model.predict(
        [{"ids": [1, 2, 1, 3, 1]}, {"text": "ABaca"}, {"text": "abaz"}]
    )
    assert by_ids == by_text
    assert by_ids["class"][:3] == unknown["class"][:3]
    nats = -np.log(
        [
            row["probabilities"][data.tokens[target]][step]
            for row in model.predict([{"text": "abaca", "probabilities": True}])
            for step, target in enumerate([2, 1, 3, 1, 2])
        ]
    )
    assert nats.mean() == pytest.approx(pack.evaluate(0, "train")["cross_entropy"], rel=1e-5)


@pytest.mark.parametrize("fields", [{}, {"stem": "conv", "stem_size": 2}, {"readout": "mean"}])
def test_a_state_in_hand_goes_on_where_the_last_answer_ended(tmp_path, fields):
    data = regression(one_target="readout" in fields)
    _, model = trained(tmp_path, data, **{"readout": "every", "cell": "gru", **fields})
    whole = model.predict([{"steps": RAW[0], "state": ""}])[0]
    state, parts = "", []
    for chunk in (RAW[0, :1], RAW[0, 1:4], RAW[0, 4:]):
        answer = model.predict([{"steps": chunk, "state": state}])[0]
        state, parts = answer["state"], [*parts, *answer["load"]]
    np.testing.assert_allclose(parts, whole["load"], rtol=1e-6)
    if "readout" not in fields:
        plain = model.predict([{"steps": RAW[0]}])[0]
        np.testing.assert_allclose(plain["load"], whole["load"], rtol=1e-6)
        assert "state" not in plain


def test_rows_with_states_and_without_share_a_call_and_gaps_hold_the_state(tmp_path):
    _, model = trained(tmp_path, regression(), readout="every")
    gap = {"steps": RAW[0, :4], "mask": [True, False, True, True], "state": ""}
    plain, stepped, other = model.predict([{"steps": RAW[0]}, gap, {"steps": RAW[1], "state": ""}])
    assert stepped["load"][1] is None
    without = model.predict([{"steps": RAW[0][[0, 2, 3]], "state": ""}])[0]
    assert [v for v in stepped["load"] if v is not None] == pytest.approx(without["load"])
    assert stepped["state"] == without["state"] != other["state"]
    assert len(plain["load"]) == 6


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ("!", "sequence 0: state must be what an earlier answer"),
        (base64.b64encode(b"nonsense").decode(), "a state must be whole safetensors bytes"),
    ],
)
def test_a_state_that_is_none_is_one_line(tmp_path, state, message):
    _, model = trained(tmp_path, regression(), readout="every")
    with pytest.raises((DataError, CheckpointError), match=message):
        model.predict([{"steps": RAW[0], "state": state}])


def test_a_bidirectional_network_takes_no_state(tmp_path):
    _, model = trained(tmp_path, regression(), readout="every", bidirectional=True)
    with pytest.raises(ConfigError, match="reads forwards only"):
        model.predict([{"steps": RAW[0], "state": ""}])


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ({}, "sequence 0 must bring steps .* brings none"),
        ({"stps": [[1, 2]]}, "has no field .stps.; did you mean .steps."),
        ({"text": "a"}, "must bring steps to a network of numbers, but brings text"),
        ({"steps": [[1.0]]}, r"one step of 2 numbers each \(load, price\), but got shape \(1, 1\)"),
        ({"steps": []}, "at least one step"),
        ({"steps": [[1, 2], [3]]}, "steps must all be of one length"),
        ({"steps": [["a", "b"]]}, "steps must hold numbers or null"),
        ({"steps": [[np.inf, 1]]}, "must be finite"),
        ({"steps": [[1, 2]], "mask": [False]}, "at least one step must exist"),
        ({"steps": [[1, 2]], "mask": [True, True]}, "1 times true or false"),
        ({"steps": [[None, 2]]}, "at least one step must exist"),
    ],
)
def test_a_record_that_does_not_fit_is_one_line(record, message):
    with pytest.raises(DataError, match=message) as caught:
        Encoder(Interface.of(regression())).encode(record, "sequence 0")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ({"steps": [[1.0]]}, "must bring ids or text to a network of token ids"),
        ({"ids": [4]}, "`0 <= id < 4` must hold for ids, but got 4"),
        ({"ids": [0.5]}, "whole number"),
        ({"text": ""}, "at least one token"),
    ],
)
def test_tokens_that_do_not_fit_are_one_line(tmp_path, record, message):
    data, _, _ = characters(tmp_path)
    with pytest.raises(DataError, match=message):
        Encoder(Interface.of(data)).encode(record, "sequence 0")


def test_the_folder_holds_the_best_weights_by_torchs_names_and_nothing_else(tmp_path):
    _, model = trained(tmp_path, regression(), readout="every", num_layers=2)
    reread(model, tmp_path)
    folder = tmp_path / "model"
    assert sorted(path.name for path in folder.iterdir()) == [CONFIG_FILE, WEIGHTS_FILE]
    best = named_weights(read_checkpoint(tmp_path / "trial"))
    stored = load_file(folder / WEIGHTS_FILE)
    assert stored.keys() == best.keys()
    assert all(torch.equal(stored[name], best[name]) for name in best)
    assert json.loads((folder / CONFIG_FILE).read_text())["about"] == {"sweep": "s"}


def test_another_format_or_a_torn_folder_is_one_line(tmp_path):
    _, model = trained(tmp_path, regression(), readout="every")
    reread(model, tmp_path)
    folder = tmp_path / "model"
    config = json.loads((folder / CONFIG_FILE).read_text())
    (folder / CONFIG_FILE).write_text(json.dumps({**config, "format": 2}))
    with pytest.raises(CheckpointError, match=r"format must be 1, but .* has 2; load it with"):
        PortableModel.read(folder)
    (folder / CONFIG_FILE).write_text(json.dumps(config))
    (folder / WEIGHTS_FILE).write_bytes(b"torn")
    with pytest.raises(CheckpointError, match="can't be read"):
        PortableModel.read(folder)
    (folder / CONFIG_FILE).unlink()
    with pytest.raises(CheckpointError, match=r"must hold a readable config\.json"):
        PortableModel.read(folder)


def test_a_checkpoint_of_other_data_is_refused(tmp_path):
    trained(tmp_path, regression(), readout="every")
    other = wrap(regression().train, digest="other")
    with pytest.raises(CheckpointError, match="digest"):
        PortableModel.from_checkpoint(tmp_path / "trial", Interface.of(other))

"""Several portable models as one."""

from __future__ import annotations

import base64
import json

import numpy as np
import pytest

from tests.trainers.factory import ACCURACY
from tests.trainers.portable_factory import named_classes, raw_records, regression, trained
from trainers.errors import CheckpointError, DataError
from trainers.use.ensemble import ENSEMBLE_FILE, EnsembleModel, read_model
from trainers.use.stepped_ensemble import SteppedEnsemble


def pair(tmp_path, data, objective=None, **fields):
    models = []
    for seed in (1, 2):
        (tmp_path / str(seed)).mkdir()
        given = () if objective is None else (objective,)
        models.append(trained(tmp_path / str(seed), data, *given, seed=seed, **fields)[1])
    return models


def test_values_are_averaged_in_own_units(tmp_path):
    first, second = pair(tmp_path, regression(one_target=True))
    found = EnsembleModel([first, second], [3, 1]).predict(raw_records())
    alone = [model.predict(raw_records()) for model in (first, second)]
    for ours, one, other in zip(found, *alone, strict=True):
        assert ours["load"] == pytest.approx(0.75 * one["load"] + 0.25 * other["load"])


def test_probabilities_are_averaged(tmp_path):
    data = named_classes()
    models = pair(tmp_path, data, ACCURACY, readout="every", loss="cross_entropy")
    records = [{"steps": data.train.inputs[0].tolist(), "probabilities": True}]
    (found,) = EnsembleModel(models, [1, 1]).predict(records)
    each = [model.predict(records)[0]["probabilities"] for model in models]
    for name, shares in found["probabilities"].items():
        assert np.array(shares) == pytest.approx(np.mean([one[name] for one in each], axis=0))
    best = np.argmax([found["probabilities"][name] for name in data.target_names], axis=0)
    assert found["class"] == [data.target_names[n] for n in best]


def test_a_folder_gives_the_same_answers(tmp_path):
    model = EnsembleModel(pair(tmp_path, regression()), [2, 5])
    folder = tmp_path / "network"
    folder.mkdir()
    model.write(folder, {"sweep": "s"})
    again = read_model(folder)
    assert isinstance(again, EnsembleModel)
    assert again.counts == (2, 5)
    assert again.predict(raw_records()) == model.predict(raw_records())
    assert read_model(folder / "0").predict(raw_records()) == model.members[0].predict(
        raw_records()
    )


def test_every_member_is_stepped_on_from_its_own_state(tmp_path):
    model = EnsembleModel(pair(tmp_path, regression(), readout="every"), [2, 1])
    steps = raw_records()[0]["steps"]
    (whole,) = model.predict([{"steps": steps}])
    (first,) = model.predict([{"steps": steps[:4], "state": ""}])
    (second,) = model.predict([{"steps": steps[4:], "state": first["state"]}])
    assert [*first["load"], *second["load"]] == pytest.approx(whole["load"], rel=1e-6)
    mixed = model.predict([{"steps": steps}, {"steps": steps[:4], "state": ""}, {"steps": steps}])
    assert [mixed[0], mixed[2]] == [whole, whole]
    for wrong in ("x", "bm8=", base64.b64encode(b"[1]").decode()):
        with pytest.raises(DataError, match="sequence 0: state must be what an earlier answer"):
            model.predict([{"steps": steps, "state": wrong}])


def test_it_is_stepped_with_its_states_in_hand(tmp_path):
    model = EnsembleModel(pair(tmp_path, regression(), readout="every"), [2, 1])
    stepped, steps = SteppedEnsemble(model), raw_records()[0]["steps"]
    (whole,) = model.predict([{"steps": steps}])
    assert (stepped.outputs, stepped.inputs) == (("load",), ("load", "price"))
    said = [stepped.step([row])[0, 0] for row in steps[:3]]
    stepped.save_state(tmp_path / "state")
    again = SteppedEnsemble(model)
    again.load_state(tmp_path / "state")
    assert stepped.num_layers == 2
    for layer in range(2):
        for one, other in zip(stepped.get_state(layer), again.get_state(layer), strict=True):
            assert (one == other).all()
    said += [again.step([row])[0, 0] for row in steps[3:]]
    assert said == pytest.approx(whole["load"], rel=1e-6)
    with pytest.raises(DataError):
        stepped.step([steps[0]] * 2)  # another batch size
    assert stepped.step([steps[3]])[0, 0] == pytest.approx(whole["load"][3], rel=1e-6)
    stepped.clear_state()
    assert stepped.step([steps[0]])[0, 0] == pytest.approx(whole["load"][0], rel=1e-6)
    with pytest.raises(DataError, match="`0 <= layer < 2` must hold"):
        stepped.get_state(2)


def test_a_record_that_does_not_fit_is_named(tmp_path):
    model = EnsembleModel(pair(tmp_path, regression()), [1, 1])
    with pytest.raises(DataError, match="sequence 1 must bring steps"):
        model.predict([raw_records()[0], {"text": "a"}])


def test_damaged_folders_are_refused(tmp_path):
    (tmp_path / ENSEMBLE_FILE).write_text("{")
    with pytest.raises(CheckpointError, match=r"must hold a readable ensemble.json"):
        read_model(tmp_path)
    (tmp_path / ENSEMBLE_FILE).write_text(json.dumps({"format": 9, "counts": [1]}))
    with pytest.raises(CheckpointError, match="format must be 1"):
        read_model(tmp_path)


def test_members_must_answer_alike(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    numbers = trained(tmp_path / "a", regression())[1]
    classes = trained(
        tmp_path / "b", named_classes(), ACCURACY, readout="every", loss="cross_entropy"
    )[1]
    with pytest.raises(CheckpointError, match="must have the same outputs"):
        EnsembleModel([numbers, classes], [1, 1])

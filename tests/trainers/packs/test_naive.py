"""Naive forecasts are judged on the targets, and by the formulas, that trials are judged by."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from trainers.config.measured import Asked, end_metrics, epoch_metrics
from trainers.conformance.examples import CONFIG, PATTERNS, data_of, pack_of
from trainers.data import load_data
from trainers.data.naive.forecast import NaiveForecast
from trainers.data.naive.places import places_of, truth_at
from trainers.data.own_units import own_units, trained_units
from trainers.packs.naive import judged, naive_metrics
from trainers.packs.parts import Parts

WALKS = ["sequences", "stream"]


@pytest.mark.parametrize("walk", WALKS)
@pytest.mark.parametrize("targets", ["values", "ids", "labels"])
@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize("readout", ["every", "last"])
def test_a_networks_answers_come_to_the_metrics_of_its_trial(readout, pattern, targets, walk):
    if walk == "stream" and (readout == "last" or pattern != "none"):
        pytest.skip("streams are read at every step")
    scaled = {"target_scale": np.array([2.0, 5.0]), "target_shift": np.array([1.0, -3.0])}
    data = data_of(targets, pattern, walk=walk, **(scaled if targets == "values" else {}))
    loss = {"values": "mse", "ids": "cross_entropy", "labels": "binary_cross_entropy"}[targets]
    config = replace(CONFIG, readout=readout, loss=loss)
    pack = pack_of([config], data)
    answers = pack.answers(0, "validation")
    by_place = {(r, s): n for n, (r, s) in enumerate(zip(answers.rows, answers.steps, strict=True))}

    def answer(part, at):
        found = answers.outputs[[by_place[place] for place in zip(at.rows, at.steps, strict=True)]]
        return own_units(data, found) if targets == "values" else found

    own = NaiveForecast("own", "the network's", answer)
    structure = config.structure()
    wanted = {**epoch_metrics(data, loss), **end_metrics(data, loss)}
    metrics = judged(own, Parts(data, structure), "validation", structure, wanted)
    reported = {**pack.evaluate(0, "validation"), **pack.evaluate_at_end(0)}
    assert metrics.keys() == reported.keys()
    assert metrics == pytest.approx({name: reported[name] for name in metrics}, rel=1e-9)
    assert {"loss", "rmse"} <= metrics.keys() or {"loss", "accuracy"} <= metrics.keys()


@pytest.mark.parametrize("options", [
    {"input_steps": 3}, {"input_steps": 3, "output_steps": 2}, {"targets": "every"},
    {"series": "s", "scale_by": "series"}, {"missing": "mask", "gaps": True},
])  # fmt: skip
def test_targets_of_a_table_are_those_that_trials_answer(tmp_path, options):
    options = dict(options)
    frame = pd.DataFrame({"a": np.arange(60.0) % 7, "y": np.arange(60.0) ** 1.5})
    frame["s"] = np.repeat(["a", "b"], 30)
    if options.pop("gaps", False):
        frame.loc[[5, 40, 41, 55], "y"] = np.nan
        frame.loc[[41, 47], "a"] = np.nan
    frame.to_csv(tmp_path / "ten.csv", index=False)
    data = load_data("csv", {"path": "ten.csv", "target": "y", "inputs": ["a"], "input_steps": 4,
                             **options}, base_dir=tmp_path)  # fmt: skip
    readout = "last" if data.one_target else "every"
    config = replace(CONFIG, readout=readout, tbptt_forward_steps=None)
    for name in ("validation", "test"):
        answers = pack_of([config], data).answers(0, name)
        part = data.parts()[name]
        places = places_of(part, one_target=data.one_target)
        truth = truth_at(part, places)
        np.testing.assert_array_equal(places.rows, answers.rows)
        np.testing.assert_array_equal(places.steps, answers.steps)
        shown = True if truth.mask is None else truth.mask
        np.testing.assert_array_equal(np.where(shown, truth.targets, 0), answers.targets)


def test_metrics_of_a_series_that_rises_evenly_can_be_written_down(tmp_path):
    # y = 10, 20, …: who repeats the newest value is wrong by 10, by 20 two steps ahead.
    frame = pd.DataFrame({"y": 10.0 * np.arange(1, 21)})
    frame.to_csv(tmp_path / "ten.csv", index=False)
    found = naive_metrics(_table(tmp_path), replace(CONFIG, readout="last").structure())
    assert set(found.metrics) == {"persistence", "mean", "ridge"}
    assert found.left_out == {"seasonal": "the data have no season that their training part holds"}
    repeated = found.metrics["persistence"]
    assert repeated["validation"]["rmse"] == pytest.approx(10, rel=1e-6)
    assert repeated["test"]["mae"] == pytest.approx(10, rel=1e-6)
    # Training targets are rows 2 to 11, their mean 75; validation's are 130, 140, 150, 160.
    assert found.metrics["mean"]["validation"]["mae"] == pytest.approx(70, rel=1e-6)
    assert found.metrics["ridge"]["validation"]["rmse"] < 0.1
    two = naive_metrics(
        _table(tmp_path, steps_ahead=2), replace(CONFIG, readout="last").structure()
    )
    assert two.metrics["persistence"]["validation"]["mae"] == pytest.approx(20, rel=1e-6)


def test_a_loss_that_is_not_of_the_answer_itself_is_not_reported(tmp_path):
    pd.DataFrame({"y": 10.0 * np.arange(1, 21)}).to_csv(tmp_path / "ten.csv", index=False)
    data = _table(tmp_path)
    plain = replace(CONFIG, readout="last", loss="mae").structure()
    summed = replace(plain, loss_reduction="sequence_sum")
    assert "loss" in naive_metrics(data, plain).metrics["mean"]["validation"]
    assert "loss" not in naive_metrics(data, summed).metrics["mean"]["validation"]
    one = naive_metrics(data, plain).metrics["mean"]["validation"]
    assert one["loss"] == pytest.approx(one["mae"] / data.target_scale[0])


def test_crps_of_a_bare_number_is_its_absolute_error(tmp_path):
    pd.DataFrame({"y": 10.0 * np.arange(1, 41) ** 1.5}).to_csv(tmp_path / "ten.csv", index=False)
    data, asked = _table(tmp_path, output_steps=2), Asked(("crps/h2", "mae/h2"))
    spread = replace(CONFIG, readout="last", loss="gaussian").structure()
    for parts in naive_metrics(data, spread, asked).metrics.values():
        for found in parts.values():
            assert found["crps"] == found["mae"] > 0
            assert found["crps/h2"] == found["mae/h2"] != found["mae"]
    bare = naive_metrics(data, replace(spread, loss="mse"))
    assert "crps" not in bare.metrics["mean"]["validation"]


def test_units_of_a_transform_lead_back():
    data = replace(data_of(), target_transform="log1p", target_scale=np.array([2.0, 3.0]),
                   target_shift=np.array([0.5, 0.25]))  # fmt: skip
    own = np.array([[0.0, 7.5], [1e6, 0.25]])
    rescale = np.tile([[[2.0, 0.5], [1.0, -1.0]]], (2, 1, 1))
    np.testing.assert_allclose(own_units(data, trained_units(data, own, rescale), rescale), own)
    assert np.isfinite(trained_units(data, np.array([[-5.0, -1.0]]))).all()


def _table(folder: Path, **options):
    given = {"path": "ten.csv", "target": "y", "input_steps": 2, "split": [0.6, 0.2, 0.2]}
    return load_data("csv", {**given, **options}, base_dir=folder)

"""Every answer of a part: sums over them are the metrics that a pass reports."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from trainers.conformance.examples import CONFIG, PATTERNS, ROWS, STEPS, data_of, pack_of


@pytest.mark.parametrize("walk", ["sequences", "stream"])
@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize("readout", ["every", "last"])
def test_answers_are_those_that_metrics_judge(readout, pattern, walk):
    if walk == "stream" and (readout == "last" or pattern != "none"):
        pytest.skip("streams are read at every step")
    data = data_of("values", pattern, walk=walk)
    config = replace(CONFIG, readout=readout)
    pack = pack_of([config], data)
    answers = pack.answers(0, "validation")
    own = data.validation.targets[answers.rows, answers.steps]
    np.testing.assert_array_equal(answers.targets, own)
    error = np.abs(answers.outputs - answers.targets).mean()
    assert error == pytest.approx(pack.evaluate(0, "validation")["mae"], rel=1e-12)
    order = answers.rows * STEPS + answers.steps
    assert (np.diff(order) > 0).all()
    exists = data.validation.input_mask
    expected = ROWS * (STEPS if readout == "every" else 1) if exists is None else None
    if exists is not None:
        expected = exists.sum() if readout == "every" else exists.any(1).sum()
    assert len(answers) == expected


def test_outputs_that_are_masked_alone_are_told():
    data = data_of("values")
    mask = np.ones((ROWS, STEPS, 2), dtype=bool)
    mask[3, -1, 1] = False
    part = replace(data.validation, target_mask=mask)
    pack = pack_of([replace(CONFIG, readout="last")],
                   replace(data, validation=part))  # fmt: skip
    answers = pack.answers(0, "validation")
    assert answers.mask is not None
    assert np.argwhere(~answers.mask).tolist() == [[3, 1]]

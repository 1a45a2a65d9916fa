"""Scalers' figures do not depend on the type that a table's numbers were read as."""

from __future__ import annotations

import numpy as np
import pytest

from trainers.data.scaling import Scaling, fit_scaler


@pytest.mark.parametrize("scaling", ["standard", "minmax"])
def test_single_precision_is_summed_in_double(scaling: Scaling) -> None:
    values = (10_000 + np.arange(400_000) % 7).astype(np.float32)[:, None]
    single, double = (fit_scaler(v, scaling) for v in (values, values.astype(np.float64)))
    assert single.scale.dtype == single.shift.dtype == np.float64
    np.testing.assert_allclose(single.scale, double.scale, rtol=1e-12)
    np.testing.assert_allclose(single.shift, double.shift, rtol=1e-12)

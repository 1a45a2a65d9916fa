"""Every cell keeps what is asked of a cell."""

from __future__ import annotations

import pytest

from trainers.config.cells import CELLS
from trainers.conformance import cells


@pytest.mark.parametrize("check", cells.CHECKS)
@pytest.mark.parametrize("cell", CELLS)
def test_every_cell_conforms(cell, check):
    check(cell)

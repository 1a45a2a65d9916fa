"""Every cell keeps what is asked of a cell, and one that does not is found out."""

from __future__ import annotations

from pathlib import Path

import pytest

from trainers.config.cells import CELLS
from trainers.conformance import cells
from trainers.errors import ConfigError
from trainers.network.cells.interface import cell_of


@pytest.mark.parametrize("check", cells.CHECKS)
@pytest.mark.parametrize("cell", CELLS)
def test_every_cell_conforms(cell, check):
    check(cell)


@pytest.mark.parametrize(
    ("cell", "check"),
    [
        ("MIXES_TRIALS", cells.check_layer),
        ("MIXES_TRIALS", cells.check_packed),
        ("NAMES_TOO_FEW", cells.check_layout),
        ("LEAVES_THE_FORGET_GATE", cells.check_first_weights),
    ],
)
def test_a_cell_that_does_not_conform_is_found_out(monkeypatch, cell, check):
    monkeypatch.syspath_prepend(Path(__file__).parent / "outside")
    with pytest.raises(AssertionError):
        check(f"broken_cells:{cell}")


def test_code_that_is_no_cell_is_one_line(monkeypatch):
    monkeypatch.syspath_prepend(Path(__file__).parent / "outside")
    with pytest.raises(ConfigError, match="must be a class of Cell, but got broken_cells:torch"):
        cell_of("broken_cells:NO_CELL")

"""Where real data lie: `RNN_SWEEP_TEST_DATA`, or `../shared/data` beside the repository."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

REPOSITORY = Path(__file__).resolve().parents[3]


def _real(name: str) -> Path:
    folder = Path(os.environ.get("RNN_SWEEP_TEST_DATA", REPOSITORY.parent / "shared" / "data"))
    path = folder / name
    if not path.exists():
        pytest.skip(f"real data are not here ({path}); set RNN_SWEEP_TEST_DATA to their folder")
    return path


@pytest.fixture(scope="session")
def appliances_csv() -> Path:
    return _real("appliances_energy/energydata_complete.csv")


@pytest.fixture(scope="session")
def shakespeare_txt() -> Path:
    return _real("tinyshakespeare/input.txt")


@pytest.fixture(scope="session")
def vowels_folder() -> Path:
    return _real("japanese_vowels")


@pytest.fixture(scope="session")
def sentiment_folder() -> Path:
    return _real("sentiment_sentences")


@pytest.fixture
def ten_rows(tmp_path: Path) -> Path:
    frame = pd.DataFrame({"a": np.arange(10.0), "y": np.arange(10.0) * 10})
    frame.to_csv(tmp_path / "ten.csv", index=False)
    return tmp_path

"""Whole files to compare with; `RNN_SWEEP_GOLDEN=write` rewrites them, for review in a diff."""

import os
from pathlib import Path

FOLDER = Path(__file__).parent / "golden"


def expect(name: str, text: str) -> None:
    path = FOLDER / name
    if os.environ.get("RNN_SWEEP_GOLDEN") == "write":
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")

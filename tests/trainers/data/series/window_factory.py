"""How tests of windows load a file."""

from __future__ import annotations

from pathlib import Path

from trainers.data import load_data


def load(folder: Path, **values: object):
    values = {"path": "ten.csv", "target": "y", "split": [0.6, 0.2, 0.2], **values}
    return load_data("csv", values, base_dir=folder)

"""Small files in the form of the public ones that presets download, so that no test needs a net."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from sweep.config.sweep_config import load_config
from trainers.data.builtin.vowels import FEATURES, TEST_BLOCKS, TRAIN_BLOCKS


def data_overrides(preset: str, folder: Path) -> list[str]:
    """Write what the preset's source would download; return the override that names it."""
    write = _WRITERS.get(load_config(preset).data.source)
    return [] if write is None else [f"data.path={write(folder)}"]


def energy_file(folder: Path) -> Path:
    """Six hundred rows in the form of UCI's file: a daily wave in steps of ten minutes."""
    rows = np.arange(600)
    wave = 100 + 50 * np.sin(rows / 144 * 2 * np.pi)
    columns = dict.fromkeys(_SENSORS, 20 + wave / 100)
    frame = pd.DataFrame(
        {
            "date": pd.date_range("2016-01-11 17:00", periods=len(rows), freq="10min"),
            "Appliances": wave.round(-1),
            **columns,
            "rv1": rows % 7,
            "rv2": rows % 7,
        }
    )
    path = folder / "energydata_complete.csv"
    frame.to_csv(path, index=False)
    return path


def speakers_folder(folder: Path) -> Path:
    """As many utterances as the real files have, of seven to nine frames: speaker plus noise."""
    rng = np.random.default_rng(0)
    for name, blocks in (("ae.train", TRAIN_BLOCKS), ("ae.test", TEST_BLOCKS)):
        speakers = np.repeat(np.arange(len(blocks)), blocks)
        spoken = [s + rng.normal(size=(7 + i % 3, FEATURES)) for i, s in enumerate(speakers)]
        texts = ["\n".join(" ".join(f"{x:.4f}" for x in frame) for frame in u) for u in spoken]
        (folder / name).write_text("\n\n".join(texts) + "\n\n")
    return folder


def sentences_folder(folder: Path) -> Path:
    """Three files of labelled sentences."""
    for name in ("amazon_cells", "imdb", "yelp"):
        lines = "A good one.\t1\nNot good at all, a bad one!\t0\n"
        (folder / f"{name}_labelled.txt").write_text(lines * 20)
    return folder


def play(folder: Path) -> Path:
    """Twenty thousand characters of a play."""
    path = folder / "play.txt"
    path.write_text("ROMEO:\nTo be, or not to be: that is the question.\n\n" * 400)
    return path


_SENSORS = ("lights", "T1", "T2", "T6", "RH_1", "RH_2", "T_out", "RH_out", "Windspeed")
_WRITERS: dict[str, Callable[[Path], Path]] = {
    "appliances": energy_file,
    "vowels": speakers_folder,
    "sentiment": sentences_folder,
    "shakespeare": play,
}

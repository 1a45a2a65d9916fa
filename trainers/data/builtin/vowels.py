"""Japanese vowels: which of nine speakers says /ae/? 640 utterances of 7 to 29 frames.

Kudo, Toyama & Shimbo, Pattern Recognition Letters 20 (1999) 1103-1111; UCI dataset 128. A frame
has twelve LPC cepstrum coefficients. The official test part has 370 utterances; the 270 others are
divided into train and validation. Ridge regression on the last frame is right in 92.7 % of the
test part, on pooled features in 98.65 %.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np

from trainers.data.builtin.download import RemoteFile, cache_folder, fetch
from trainers.data.classes import ClassWeights, class_weights
from trainers.data.contract import Array, SequenceData, SequenceSet
from trainers.data.division import divide, require_two_shares
from trainers.data.files import read_text
from trainers.data.options import means, path_means, require, search_means
from trainers.data.padding import one_label_set, padded
from trainers.data.scaling import fit_scaler
from trainers.data.source import Source
from trainers.errors import DataError

FEATURES = 12
# Utterances of speakers 1 to 9, in blocks, in the official files.
TRAIN_BLOCKS = (30,) * 9
TEST_BLOCKS = (31, 35, 88, 44, 29, 24, 40, 50, 29)

_ADDRESS = (
    "https://raw.githubusercontent.com/littleowen/Conceptor/"
    "fa98a949a24af7666dd5395df15b8d52a6f33b4f/"
)
TRAIN_FILE = RemoteFile(
    url=_ADDRESS + "ae.train",
    name="ae.train",
    sha256="7ae33b2b678b6c0df7a4137e5b82e127e95d63b2e2d7764e7e4ea3fe1b659935",
    given_as="FOLDER",
)
TEST_FILE = RemoteFile(
    url=_ADDRESS + "ae.test",
    name="ae.test",
    sha256="7894594714a3186f8961c75535654cdc6bd232d3dd97d7c04c99bfa3013f57a9",
    given_as="FOLDER",
)


@dataclass(frozen=True)
class VowelsOptions:
    """Where the files are, and how the official training part is divided."""

    path: str | None = field(
        default=None, metadata=path_means("folder with ae.train and ae.test; null: download")
    )
    seed: int = field(default=0, metadata=means("seed of the split"))
    split: tuple[float, ...] = field(
        default=(0.8, 0.2), metadata=means("shares of train and validation of ae.train")
    )
    scaling: Literal["minmax", "standard", "none"] = field(
        default="standard", metadata=search_means("of the features, fitted on training frames")
    )
    class_weights: ClassWeights = field(
        default="none", metadata=search_means("none, balanced, or one number a class")
    )

    def __post_init__(self) -> None:
        require(self.seed >= 0, "seed >= 0", "seed", self.seed)
        require_two_shares(self.split)


def load_vowels(options: VowelsOptions, base_dir: Path) -> SequenceData:
    """Read both official files and divide the first.

    Raises:
        DataError: a file can't be had, or is not as it must be.
    """
    utterances, speakers = _read(_file(TRAIN_FILE, options, base_dir), TRAIN_BLOCKS)
    test_utterances, test_speakers = _read(_file(TEST_FILE, options, base_dir), TEST_BLOCKS)
    rows = divide(len(utterances), options.split, options.seed, speakers)
    scaler = fit_scaler(np.concatenate([utterances[row] for row in rows[0]]), options.scaling)

    def part(chosen: Sequence[Array], labels: Array) -> SequenceSet:
        inputs, mask = padded([scaler.apply(one).astype(np.float32) for one in chosen])
        return one_label_set(inputs, mask, labels)

    train, validation = (part([utterances[row] for row in r], speakers[r]) for r in rows)
    names = tuple(f"speaker {number + 1}" for number in range(len(TRAIN_BLOCKS)))
    return SequenceData(
        name="vowels",
        task="classification",
        train=train,
        validation=validation,
        test=part(test_utterances, test_speakers),
        input_size=FEATURES,
        output_size=len(names),
        digest="",
        target_names=names,
        one_target=True,
        notes=("test: the official 370 utterances; the largest class is 23.8 % of them",),
        class_weights=class_weights(options.class_weights, train, names),
        input_scale=scaler.scale,
        input_shift=scaler.shift,
    )


def _file(remote: RemoteFile, options: VowelsOptions, base_dir: Path) -> Path:
    if options.path is None:
        return fetch(remote, cache_folder())
    path = base_dir / Path(options.path).expanduser() / remote.name
    if not path.is_file():
        raise DataError(
            f"there is no data file {path}; set data.path to the folder of ae.train and ae.test."
        )
    return path


def _read(path: Path, blocks: Sequence[int]) -> tuple[list[Array], Array]:
    """Utterances, each `(frames, 12)`, and their speakers `(utterances,)`, 0 to 8.

    An utterance ends with a line of twelve ones, with an empty line, or with both.
    """
    utterances: list[Array] = []
    frames: list[list[float]] = []
    for number, line in enumerate([*read_text(path).splitlines(), ""], start=1):
        frame = _frame(line, path, number)
        if frame and any(value != 1.0 for value in frame):
            frames.append(frame)
        elif frames:
            utterances.append(np.array(frames))
            frames = []
    if len(utterances) != sum(blocks):
        raise DataError(
            f"{path} must hold {sum(blocks)} utterances, but has {len(utterances)}; set data.path "
            "to the folder of UCI's ae.train and ae.test."
        )
    return utterances, np.repeat(np.arange(len(blocks)), blocks)


def _frame(line: str, path: Path, number: int) -> list[float]:
    words = line.split()
    try:
        frame = [float(word) for word in words]
    except ValueError:
        frame = [0.0]
    if words and len(frame) != FEATURES:
        raise DataError(f"{path}, line {number}: must hold {FEATURES} numbers, but got {line!r}.")
    return frame


VOWELS = Source(VowelsOptions, load_vowels)

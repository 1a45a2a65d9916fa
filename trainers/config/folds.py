"""A trial on data with folds: the same settings on each of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from trainers.config.train_config import TrainConfig
from trainers.data.contract import SequenceData


def fold_configs(config: TrainConfig, folds: Mapping[str, SequenceData]) -> tuple[TrainConfig, ...]:
    """Return the settings of a trial on each fold; those of the last one are the trial's own.

    Categories have the values of each fold's own training part: as many rows has an embedding, its
    size is the trial's.

    Args:
        config: The trial's, which fit the last fold.
        folds: By key, in order (`trainers.data.choices.DataChoices.folds_of`).
    """
    *earlier, last = folds.values()
    sizes = {
        category.name: size
        for category, (_, _, size) in zip(last.categories, config.category_embeddings, strict=False)
    }
    own = [
        replace(config, data_choice=key, category_embeddings=_embeddings(data, sizes))
        for key, data in zip(folds, earlier, strict=False)
    ]
    return (*own, config)


def _embeddings(data: SequenceData, sizes: Mapping[str, int]) -> tuple[tuple[int, ...], ...]:
    return tuple(
        (c.feature, len(c.values) + 1, sizes.get(c.name, c.embedding_size)) for c in data.categories
    )

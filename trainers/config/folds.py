"""A trial on data with folds: the same settings on each of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from trainers.config.train_config import TrainConfig
from trainers.data.contract import SequenceData


def fold_configs(config: TrainConfig, folds: Mapping[str, SequenceData]) -> tuple[TrainConfig, ...]:
    """Return the settings of a trial on each fold; those of the last one are the trial's own.

    Args:
        config: The trial's, which fit the last fold.
        folds: By key, in order (`trainers.data.choices.DataChoices.folds_of`).
    """
    *earlier, last = folds.values()
    own = [
        replace(config_on(config, last, data), data_choice=key)
        for key, data in zip(folds, earlier, strict=False)
    ]
    return (*own, config)


def config_on(config: TrainConfig, known: SequenceData, data: SequenceData) -> TrainConfig:
    """Return settings that fit one data set as they fit another that is divided anew.

    Categories have the values of each one's training part: so many rows has an embedding, its size
    is that of the settings.

    Args:
        config: Settings.
        known: What they fit.
        data: What they shall fit.
    """
    given = zip(known.categories, config.category_embeddings, strict=False)
    sizes = {category.name: size for category, (_, _, size) in given}
    embeddings = tuple(
        (c.feature, len(c.values) + 1, sizes.get(c.name, c.embedding_size)) for c in data.categories
    )
    return replace(config, category_embeddings=embeddings)

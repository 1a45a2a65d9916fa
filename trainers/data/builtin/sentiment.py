"""Sentence sentiment: is a review's sentence positive? 3,000 sentences of three sites.

Kotzias et al., "From Group to Individual Labels using Deep Features", KDD 2015; UCI dataset 331.
A small stand-in for Keras' `imdb_lstm`, whose own `imdb.npz` is a pickle and is never loaded.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path

from trainers.data.builtin.download import RemoteFile, cache_folder, fetch
from trainers.data.classes import ClassWeights
from trainers.data.contract import SequenceData
from trainers.data.division import require_shares
from trainers.data.options import means, path_means, search_means
from trainers.data.source import Source
from trainers.data.tables.reader import TableReader
from trainers.data.texts.tokens import TokenOptions, read_examples, tokens_from_examples
from trainers.errors import DataError

_ADDRESS = (
    "https://raw.githubusercontent.com/kvrao/sentiment_analysis/"
    "462f7304ab341f1b5014e6eae56100bfe35d703a/sentiment%20labelled%20sentences/"
)
_SUMS = {
    "amazon_cells_labelled.txt": "47003fc0a0d4840b00e96e715b6189bad09e7443a3da41c4cbe12ffc79f86ae3",
    "imdb_labelled.txt": "c662b9360c1652babb990d164835af12aa105db7991f1fdb19038115f0e93de8",
    "yelp_labelled.txt": "b565b1eeb864d76842588c3a256731b08bcdd9faf6de507bfe211a96f8b81912",
}
FILES = tuple(
    RemoteFile(url=_ADDRESS + name, name=name, sha256=sha256, given_as="FOLDER")
    for name, sha256 in _SUMS.items()
)


@dataclass(frozen=True)
class SentimentOptions:
    """The token options that make sense here; the files are downloaded unless `path` is given."""

    path: str | None = field(
        default=None, metadata=path_means("folder with the three files; null: download")
    )
    max_words: int | None = field(
        default=None,
        metadata=search_means(
            "most frequent training words to keep; others are unknown; null: all"
        ),
    )
    max_length: int | None = field(
        default=None,
        metadata=search_means("longest sequence; the end of a longer one is kept; null: any"),
    )
    split: tuple[float, ...] = field(
        default=(0.7, 0.15, 0.15),
        metadata=means("shares of train, validation and test; every part has the classes' mix"),
    )
    seed: int = field(default=0, metadata=means("seed of the split"))
    class_weights: ClassWeights = field(
        default="none", metadata=search_means("none, balanced, or one number a class")
    )

    def __post_init__(self) -> None:
        self.tokens()
        require_shares(self.split)

    def tokens(self) -> TokenOptions:
        """The same options for the general token source."""
        own = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        return TokenOptions(**{**own, "path": ""})


def load_sentiment(options: SentimentOptions, base_dir: Path) -> SequenceData:
    """Read the three files, from the folder given or downloaded, as labelled token sequences.

    Raises:
        DataError: a file can't be had, or is not as it must be.
    """
    files = [_file(remote, options, base_dir) for remote in FILES]
    general = options.tokens()
    data = tokens_from_examples(
        read_examples(files, general, TableReader()), None, general, "sentiment"
    )
    return dataclasses.replace(data, target_names=("negative", "positive"))


def _file(remote: RemoteFile, options: SentimentOptions, base_dir: Path) -> Path:
    if options.path is None:
        return fetch(remote, cache_folder())
    path = base_dir / Path(options.path).expanduser() / remote.name
    if not path.is_file():
        raise DataError(
            f"there is no data file {path}; set data.path to the folder of {', '.join(_SUMS)}."
        )
    return path


SENTIMENT = Source(SentimentOptions, load_sentiment)

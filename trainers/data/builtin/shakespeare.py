"""Tiny Shakespeare: 1,115,394 characters of plays, as a stream for character language models.

Karpathy's char-rnn (2015). First 90 % train, last 10 % validation, as nanoGPT has it: a 5-gram
reaches 1.669 nats a character there, nanoGPT's six-layer transformer 1.4697.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path

from trainers.data.builtin.download import RemoteFile, cache_folder, fetch
from trainers.data.contract import SequenceData
from trainers.data.options import means, path_means
from trainers.data.source import Source
from trainers.data.texts.text import TextOptions, load_text
from trainers.data.texts.vocabulary import Level

CHAR_RNN_FILE = RemoteFile(
    url=(
        "https://raw.githubusercontent.com/karpathy/char-rnn/"
        "6f9487a6fe5b420b7ca9afb0d7c078e37c1d1b4e/data/tinyshakespeare/input.txt"
    ),
    name="tinyshakespeare.txt",
    sha256="86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed",
)


@dataclass(frozen=True)
class ShakespeareOptions:
    """The text options that make sense here; the file is downloaded unless `path` is given."""

    path: str | None = field(
        default=None, metadata=path_means("the file, read as it is; null: download, sum-checked")
    )
    level: Level = field(
        default="character", metadata=means("tokens are characters, or words, marks and line ends")
    )
    max_tokens: int | None = field(
        default=None, metadata=means("most frequent tokens to keep; null: all")
    )
    split: tuple[float, ...] = field(
        default=(0.9, 0.1, 0.0),
        metadata=means("shares of train, validation and test, in the text's order; test may be 0"),
    )

    def __post_init__(self) -> None:
        self.text(Path())

    def text(self, path: Path) -> TextOptions:
        """The same options for the general text source."""
        own = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        return TextOptions(**{**own, "path": str(path)})


def load_shakespeare(options: ShakespeareOptions, base_dir: Path) -> SequenceData:
    """Read the given file, or download Karpathy's, and lay it out as a stream.

    Raises:
        DataError: the file can't be had, or isn't text.
    """
    path = Path(options.path).expanduser() if options.path is not None else None
    found = fetch(CHAR_RNN_FILE, cache_folder()) if path is None else base_dir / path
    return dataclasses.replace(load_text(options.text(found), base_dir), name="shakespeare")


SHAKESPEARE = Source(ShakespeareOptions, load_shakespeare)

"""What a trained language model writes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sweep.models.prediction import Format, format_of, write_rows, write_text

if TYPE_CHECKING:
    from trainers.use.generation import Generation
    from trainers.use.portable import PortableModel


def written_texts(
    model: PortableModel,
    asked: Generation,
    count: int = 1,
    tell: Callable[[str], object] = lambda line: None,
) -> list[str]:
    """Return texts, each the prompt and what follows it.

    Args:
        model: A language model.
        asked: What to write.
        count: How many texts.
        tell: Called with a line on what the model does not know of the prompt.

    Raises:
        DataError: it is none.
        ConfigError: it is bidirectional.
    """
    writer = model.writer()
    unknown = writer.unknown(asked.prompt)
    if unknown:
        tell(
            f"the prompt holds {len(unknown)} token(s) that the model was not trained on, the "
            f"first {unknown[0]!r}; it reads them as unknown"
        )
    return writer.write(asked, count)


def tell_texts(texts: Sequence[str], format: Format | None, output: Path | None) -> str | None:
    """Write texts to a file; without one, return them.

    They are told as they are, several under a line with their number; as CSV or JSON a row each.

    Raises:
        UserError: the file can't be written, or has the ending of another format.
    """
    kind = format_of(format, output)
    if format is not None or (output is not None and output.suffix in (".csv", ".json")):
        rows = [{"number": number, "text": text} for number, text in enumerate(texts, start=1)]
        return write_rows(rows, kind, output)
    if len(texts) > 1:
        texts = [f"--- {n} of {len(texts)} ---\n{text}" for n, text in enumerate(texts, start=1)]
    return write_text("".join(f"{text}\n" for text in texts), output)

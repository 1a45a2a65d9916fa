"""What a file, or a folder, holds: a table, sequences of the field, labelled texts, a text."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from sweep.errors import ConfigProblem
from trainers.data.sequences.ucr import split_cells
from trainers.data.tables.compression import plain_name
from trainers.data.tables.formats import is_table
from trainers.data.tables.number_text import is_number
from trainers.data.texts.swapped import looks_swapped

Form = Literal["table", "tables", "cases", "examples", "text"]

_LOOKED_AT = 400
_CASE_ENDINGS = (".ts",)
_FEWEST_STEPS = 8  # of a case: a table of so many columns of numbers has names
_TEXT_ENDINGS = ("", ".txt", ".text", ".md", ".tsv", ".tab", ".log")
_ABOUT = ("readme", "license", "licence", "copying", "notice", "citation", "changelog")
_FEWEST_CELLS = 0.9  # the share of lines that must have as many cells as the first


def form_of(path: Path) -> Form:
    """Tell what a file or a folder is.

    Raises:
        ConfigProblem: there is no such file, or nothing in the folder that is known.
    """
    if path.is_dir():
        return _form_of_folder(path)
    if not path.is_file():
        raise ConfigProblem(f"init and data need a file or a folder, but there is no {path}.")
    ending = Path(plain_name(path)).suffix.lower()
    if ending in _CASE_ENDINGS:
        return "cases"
    if ending not in _TEXT_ENDINGS:
        return "table"
    lines = first_lines(path)
    if lines and (lines[0].startswith("@") or is_ucr(lines)):
        return "cases"
    if examples_in(lines) is not None:
        return "examples"
    return "table" if ending in (".tsv", ".tab") or _is_rows(lines) else "text"


def _form_of_folder(folder: Path) -> Form:
    files = [f for f in sorted(folder.iterdir()) if f.is_file() and not f.name.startswith(".")]
    stems = {f.stem.lower().rpartition("_")[2] for f in files}
    if "train" in stems and {form_of(f) for f in files if _is_part(f)} == {"cases"}:
        return "cases"
    tables = [f for f in files if is_table(f)]
    if not tables and any(folder.rglob("*.parquet")):
        return "table"  # partitions
    if tables and all(f.name.startswith("part") for f in tables):
        return "table"  # pieces of one, as writers of Parquet name them
    if len(tables) > 1:
        return "tables"
    texts = text_files(folder)
    if texts:
        forms = {file.name: form_of(file) == "examples" for file in texts}
        if len(set(forms.values())) > 1:
            labelled = next(name for name, has in forms.items() if has)
            other = next(name for name, has in forms.items() if not has)
            raise ConfigProblem(
                f"texts of a folder must all be labelled lines, or none, but {labelled} is and "
                f"{other} is not; name a file, or a folder of one kind."
            )
        return "examples" if all(forms.values()) else "text"
    raise ConfigProblem(
        f"a folder must hold tables (one a sequence), texts, or NAME_TRAIN and NAME_TEST, but "
        f"{folder} has {', '.join(f.name for f in files[:4]) or 'no files'}; name a file."
    )


def text_files(folder: Path) -> list[Path]:
    """Return a folder's texts, without what only tells of them (README, LICENSE, …)."""
    files = [f for f in sorted(folder.iterdir()) if f.is_file() and not f.name.startswith(".")]
    texts = [f for f in files if f.suffix.lower() in _TEXT_ENDINGS]
    return [f for f in texts if f.stem.lower() not in _ABOUT] or texts


def texts_path(path: Path) -> str:
    """Return what names a text, or the texts of a folder: a pattern where it holds others too.

    Raises:
        ConfigProblem: no pattern tells the texts from the others.
    """
    if path.is_file():
        return str(path)
    texts = text_files(path)
    others = [f for f in path.iterdir() if f.is_file() and f not in texts and f.name[0] != "."]
    if not others:
        return str(path)
    endings = {f.suffix for f in texts}
    if len(endings) > 1 or any(f.suffix in endings for f in others):
        raise ConfigProblem(
            f"{path} holds {others[0].name} beside {texts[0].name}, which is no text to learn "
            "from; move it away, or name one file."
        )
    return str(path / f"*{endings.pop()}")


def _is_part(file: Path) -> bool:
    return file.stem.lower().endswith(("train", "test"))


def first_lines(path: Path, most: int = _LOOKED_AT) -> list[str]:
    """Return the first lines of a text that are not empty."""
    from trainers.data.tables.compression import open_bytes

    with open_bytes(path) as stream:
        lines = (line.decode("utf-8-sig", errors="replace") for line in stream)
        kept = (line.rstrip("\r\n") for line in lines)
        return list(itertools.islice((line for line in kept if line.strip()), most))


def is_ucr(lines: Sequence[str]) -> bool:
    """Whether lines are cases of the UCR archive: a label, then many numbers, nothing named."""
    rows = [split_cells(line) for line in lines]
    if len(rows) < 2 or min(map(len, rows)) <= _FEWEST_STEPS:
        return False
    if not all(is_number(cell) or cell in ("", "?", "NaN", "nan") for r in rows for cell in r[1:]):
        return False
    labels = [row[0] for row in rows]
    named = [float(label) for label in labels if is_number(label)]
    whole = all(number.is_integer() for number in named)
    return whole and len(set(labels)) <= max(2, len(labels) // 2)


def examples_in(lines: Sequence[str]) -> bool | None:
    """Whether lines are `label<TAB>text` (True) or `text<TAB>label` (False); None: neither."""
    cut = [line.rpartition("\t") for line in lines]
    if len(lines) < 2 or not all(tab for _, tab, _ in cut):
        return None
    first = [line.partition("\t") for line in lines]
    ends = ([text for text, _, _ in cut], [label for _, _, label in cut])
    starts = ([text for _, _, text in first], [label for label, _, _ in first])
    swapped = looks_swapped(*ends)
    texts, labels = starts if swapped else ends
    words = sum(len(text.split()) for text in texts) / len(texts)
    numbers = sum(is_number(cell) for text in texts for cell in text.split("\t")[:1])
    few = len(set(labels)) <= max(2, len(labels) // 2)
    return swapped if few and words >= 3 and numbers < len(texts) // 2 else None


def _is_rows(lines: Sequence[str]) -> bool:
    """Whether lines have one separator, as many cells each, and numbers among them."""
    for separator in (";", "\t", ",", None):
        counts = [len(line.split(separator)) for line in lines]
        usual = max(set(counts), key=counts.count, default=0)
        alike = counts.count(usual) >= _FEWEST_CELLS * len(counts)
        if usual < 2 or not alike or len(lines) < 2:
            continue
        cells = [cell.strip() for line in lines[1:] for cell in line.split(separator)]
        numbers = [cell for cell in cells if cell and is_number(cell.replace(",", "."))]
        if len(numbers) >= len(cells) / usual / 2:  # every other row has one
            return True
    return False

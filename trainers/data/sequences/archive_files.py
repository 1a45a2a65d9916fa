"""The files of a data set of the field: one, or NAME_TRAIN and NAME_TEST of a folder."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from trainers.data.files import require_different_files
from trainers.errors import DataError

_ENDINGS = (".ts", ".tsv", ".txt", ".csv", ".parquet")
_PART = re.compile(r"(.*?)[_-]?(train|test)", re.IGNORECASE)


@dataclass(frozen=True)
class ArchiveFiles:
    """Files by part; the one to be divided stands under "train"."""

    name: str
    files: Mapping[str, Path]
    notes: tuple[str, ...] = ()


def archive_files(path: str, given: Mapping[str, str], base_dir: Path) -> ArchiveFiles:
    """Find the files of a data set.

    Args:
        path: A file, or a folder with NAME_TRAIN and NAME_TEST of one ending.
        given: What names the file of another part.
        base_dir: Where relative paths start.

    Raises:
        DataError: a file isn't there, a folder has several data sets or none, or two parts are the
            same file.
    """
    whole = base_dir / Path(path).expanduser()
    files = _in_folder(whole) if whole.is_dir() else {"train": whole}
    notes = []
    if whole.is_dir():
        taken = ", ".join(f"{part}: {file.name}" for part, file in files.items())
        notes.append(f"taken from {whole.name}: {taken}")
    others = {part: base_dir / Path(file).expanduser() for part, file in given.items()}
    files = {**files, **others}
    for option, file in files.items():
        if not file.is_file():
            name = "path" if option == "train" else f"{option}_path"
            raise DataError(f"there is no data file {file}; set data.{name} to what is there.")
    require_different_files({part: [file] for part, file in files.items()})
    if "test" not in files:
        notes += _unused(files["train"])
    match = _PART.fullmatch(files["train"].stem)
    name = match.group(1) if match and match.group(1) else files["train"].stem
    order = [part for part in ("train", "validation", "test") if part in files]
    return ArchiveFiles(name, {part: files[part] for part in order}, tuple(notes))


def _in_folder(folder: Path) -> dict[str, Path]:
    """A folder's train and test files, of the first ending that has any."""
    for ending in _ENDINGS:
        sets: dict[str, dict[str, Path]] = defaultdict(dict)
        for file in sorted(folder.iterdir()):
            match = _PART.fullmatch(file.stem)
            if match and file.suffix.lower() == ending and file.is_file():
                sets[match.group(1)][match.group(2).lower()] = file
        if len(sets) > 1:
            raise DataError(
                f"{folder} must hold one data set, but has {', '.join(sorted(sets)[:8])}; set "
                "data.path to a file, and data.test_path."
            )
        for found in sets.values():
            if "train" in found:
                return {part: found[part] for part in ("train", "test") if part in found}
    raise DataError(
        f"a folder must hold NAME_TRAIN and perhaps NAME_TEST ({', '.join(_ENDINGS)}), but "
        f"{folder} has none; set data.path to a file."
    )


def _unused(train: Path) -> list[str]:
    """A note on the test file that lies beside the training file."""
    match = _PART.fullmatch(train.stem)
    if not match or match.group(2).lower() != "train":
        return []
    stem = match.group(0)[: match.start(2)]
    for word in ("TEST", "test", "Test"):
        beside = train.with_name(f"{stem}{word}{train.suffix}")
        if beside.is_file():
            return [f"{beside.name} lies beside it and is not used: data.test_path"]
    return []

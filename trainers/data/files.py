"""Files named by an option: one file, a folder's or a pattern's, in order of their names."""

from __future__ import annotations

import glob
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

from trainers.data.tables.compression import BROKEN, open_bytes, plain_name
from trainers.errors import DataError


def find_files(
    path: str, base_dir: Path, option: str = "path", endings: Sequence[str] = ()
) -> list[Path]:
    """Return the files that an option names, in order of their names.

    Args:
        path: A file, a folder (its files, hidden ones left out), or a pattern with `*`, `?`, `**`.
        base_dir: Folder that a relative path starts from.
        option: Name of the option, for the message.
        endings: What files of a folder must end with, before the ending of a compression; all,
            when there are none.

    Raises:
        DataError: there is no such file.
    """
    found = base_dir / Path(path).expanduser()
    if found.is_dir():
        files = [f for f in found.iterdir() if f.is_file() and not f.name.startswith(".")]
        files = [f for f in files if not endings or Path(plain_name(f)).suffix in endings]
    elif found.is_file():
        files = [found]
    else:
        matches = glob.glob(str(found), recursive=True)  # noqa: PTH207 (base_dir may be absolute)
        files = [Path(match) for match in matches if Path(match).is_file()]
    if not files:
        wanted = f" with a name in {', '.join('*' + e for e in endings)}" if endings else ""
        raise DataError(f"there is no file {found}{wanted}; set data.{option} to what is there.")
    return sorted(files)


def require_different_files(files: Mapping[str, Sequence[Path]]) -> None:
    """Check that no file is in two parts.

    Args:
        files: Each part's; those to be divided stand under "train".

    Raises:
        DataError: a file is.
    """
    seen: dict[Path, str] = {}
    for part, own in files.items():
        for file in own:
            other = seen.setdefault(file.resolve(), part)
            if other != part:
                raise DataError(
                    f"every part needs files of its own, but {file.name} is in {other} and {part}; "
                    f"change data.{part}_path, or leave it out: parts are then divided by "
                    "data.split."
                )


def read_text(path: Path) -> str:
    r"""Return a file's text, decompressed; every line end becomes `\n`.

    Raises:
        DataError: it can't be read, or isn't UTF-8.
    """
    try:
        with open_bytes(path) as stream, io.TextIOWrapper(stream, "utf-8-sig") as text:
            return text.read()
    except UnicodeDecodeError as error:
        raise DataError(
            f"{path} must be UTF-8 text, but byte {error.start} is not; convert it first, for "
            "example with iconv."
        ) from error
    except BROKEN as error:
        raise DataError(f"{path} can't be read: {error}.") from error

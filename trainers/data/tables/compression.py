"""Compressed files as streams of bytes: gz, bz2, xz, zst, and archives of one file.

What a file is its content says; one whose ending promises a compression must be so compressed.
Nothing is unpacked to the disk, whatever names an archive's members have.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, cast

from trainers.errors import DataError

_MAGIC = {
    b"\x1f\x8b": "gz",
    b"BZh": "bz2",
    b"\xfd7zXZ\x00": "xz",
    b"\x28\xb5\x2f\xfd": "zst",
    b"PK\x03\x04": "zip",
    b"PK\x05\x06": "zip",
}
ENDINGS = (".gz", ".bz2", ".xz", ".zst", ".zip", ".tar", ".tgz")
_WORKBOOK = "xl/workbook.xml"
BROKEN = (
    *(ValueError, OSError, EOFError, KeyError, zlib.error, lzma.LZMAError),
    *(zipfile.BadZipFile, tarfile.TarError),
)
"""What readers let through of a broken file or archive; a link in an archive leads nowhere."""


def plain_name(path: Path) -> str:
    """Return a file's name without the ending of a compression."""
    return path.stem if path.suffix.lower() in ENDINGS else path.name


def content_name(path: Path) -> str:
    """Return the name that tells what lies in a file: its own, or that of an archive's member."""
    kind = None if path.is_dir() else _kind(path)
    if kind == "zip" and zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
        if _WORKBOOK in names:
            return path.with_suffix(".xlsx").name
        own = plain_name(path)
        return own if Path(own).suffix else _only(path, [n for n in names if _counts(n)])
    return plain_name(path)


def open_bytes(path: Path) -> BinaryIO:
    """Open a file, decompressed; of an archive, its only member.

    Raises:
        DataError: the ending promises what the content is not, or an archive has not one member.
        OSError: it can't be read; broken content raises one of `BROKEN` when it is read.
    """
    kind = _kind(path)
    promised = path.suffix.lower()
    if promised in (".tar", ".tgz"):
        return _from_tar(path)
    if promised in ENDINGS and promised[1:] != kind:
        raise DataError(
            f"{path} can't be read as a table: its ending is {promised}, but it is no such file."
        )
    return path.open("rb") if kind is None else _OPENERS[kind](path)


def _kind(path: Path) -> str | None:
    with path.open("rb") as file:
        start = file.read(8)
    return next((kind for magic, kind in _MAGIC.items() if start.startswith(magic)), None)


def _from_zip(path: Path) -> BinaryIO:
    with zipfile.ZipFile(path) as archive:  # the member that is returned reads on
        only = _only(path, [name for name in archive.namelist() if _counts(name)])
        return cast(BinaryIO, archive.open(only))


def _from_tar(path: Path) -> BinaryIO:
    archive = tarfile.open(path)  # noqa: SIM115 (the member that is returned reads from it)
    member = _only(path, [m for m in archive.getnames() if _counts(m)])
    stream = (
        archive.extractfile(archive.getmember(member))
        if archive.getmember(member).isreg()
        else None
    )
    if stream is None:
        raise DataError(f"{path} can't be read as a table: its member {member!r} is no file.")
    return cast(BinaryIO, stream)


def _from_zstd(path: Path) -> BinaryIO:
    import pyarrow as pa

    return cast(BinaryIO, pa.input_stream(str(path), compression="zstd"))


def _counts(member: str) -> bool:
    """Whether a member is a file of the user's: no folder, nothing that macOS puts beside."""
    return not member.endswith("/") and not member.startswith("__MACOSX/")


def _only(path: Path, members: list[str]) -> str:
    if len(members) != 1:
        told = ", ".join(members[:3]) or "nothing"
        raise DataError(
            f"{path} can't be read as a table: an archive must hold one file, but it holds "
            f"{len(members)} ({told}); unpack it and name the file in data.path."
        )
    return members[0]


_OPENERS: dict[str, Callable[[Path], BinaryIO]] = {
    "gz": lambda path: cast(BinaryIO, gzip.GzipFile(path)),
    "bz2": lambda path: cast(BinaryIO, bz2.BZ2File(path)),
    "xz": lambda path: cast(BinaryIO, lzma.LZMAFile(path)),  # noqa: SIM115
    "zst": _from_zstd,
    "zip": _from_zip,
}

"""What a sweep needs on the cluster, as one archive below Ray's limit.

The archive is a function of its files' names and contents, so what the cluster has is not sent
again.
"""

from __future__ import annotations

import hashlib
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from cluster.errors import PackageError

LIMIT_BYTES = 100 * 2**20
_BLOCK_BYTES = 1 << 20
_FIRST_DATE = (1980, 1, 1, 0, 0, 0)
_BIGGEST = 3


@dataclass(frozen=True)
class Package:
    """An archive as Ray keeps it.

    Attributes:
        name: By its content.
        data: The zip file.
        files: How many it holds.
    """

    name: str
    data: bytes
    files: int

    @property
    def uri(self) -> str:
        """The address by which the cluster's nodes fetch it."""
        return f"gcs://{self.name}"


def python_sources(package: Path, name: str) -> dict[str, Path]:
    """Return the files of an installed package by their names in an archive; no caches."""
    return {
        f"{name}/{file.relative_to(package).as_posix()}": file
        for file in sorted(package.rglob("*"))
        if file.is_file() and "__pycache__" not in file.parts and file.suffix != ".pyc"
    }


def pack(files: Mapping[str, Path | bytes], limit_bytes: int = LIMIT_BYTES) -> Package:
    """Put files into an archive, in a temporary file on the way.

    Args:
        files: Where each file comes from (or what it holds), by its name in the archive.
        limit_bytes: What Ray takes.

    Raises:
        PackageError: the archive would be too big (the biggest files are named), or a file can't
            be read.
    """
    with tempfile.TemporaryFile() as stream:
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
            for name in sorted(files):
                for _ in _blocks(archive, name, files[name]):
                    if stream.tell() > limit_bytes:
                        raise _too_big(files, limit_bytes)
        if stream.tell() >= limit_bytes:
            raise _too_big(files, limit_bytes)
        stream.seek(0)
        data = stream.read()
    return Package(f"_ray_pkg_{hashlib.sha256(data).hexdigest()[:32]}.zip", data, len(files))


def _blocks(archive: zipfile.ZipFile, name: str, source: Path | bytes) -> Iterator[None]:
    """Write a file into the archive, block by block."""
    entry = zipfile.ZipInfo(name, _FIRST_DATE)
    entry.external_attr = 0o644 << 16
    entry.compress_type = zipfile.ZIP_DEFLATED
    if isinstance(source, bytes):
        archive.writestr(entry, source)
        return
    try:
        with source.open("rb") as stream, archive.open(entry, "w", force_zip64=True) as out:
            while block := stream.read(_BLOCK_BYTES):
                out.write(block)
                yield
    except OSError as error:
        raise PackageError(f"{source} must be readable, but: {error.strerror}.") from error


def _too_big(files: Mapping[str, Path | bytes], limit_bytes: int) -> PackageError:
    sizes = {
        name: len(source) if isinstance(source, bytes) else source.stat().st_size
        for name, source in files.items()
    }
    biggest = sorted(sizes, key=lambda name: -sizes[name])[:_BIGGEST]
    worth = [name for name in biggest if sizes[name] * 100 >= sizes[biggest[0]]]
    named = ", ".join(f"{name} {sizes[name] / 2**20:,.1f} MiB" for name in worth)
    return PackageError(
        f"what is sent must be below {limit_bytes / 2**20:g} MiB compressed, but this is more; the "
        f"biggest of {len(files)} files: {named}; put data on a disk that the cluster sees, and "
        "name them by their absolute path there."
    )

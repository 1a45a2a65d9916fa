"""Public files, downloaded once: checked against a known SHA-256 and renamed into the cache.

The cache is `$XDG_CACHE_HOME/rnn-sweep` (by default `~/.cache/rnn-sweep`). A file gets its name
there only after its sum is right, so an interrupted download leaves nothing that looks whole.
"""

from __future__ import annotations

import hashlib
import http.client
import os
import shutil
import tempfile
import urllib.error
import urllib.request
import zipfile
from dataclasses import dataclass
from pathlib import Path

from trainers.errors import DataError

TIMEOUT_SECONDS = 30.0
BLOCK_BYTES = 1 << 20


@dataclass(frozen=True)
class RemoteFile:
    """A public file: where it is, what its sum must be.

    Attributes:
        url: Address of the file, or of a zip archive that holds it.
        name: Name of the file, in the cache and in the archive.
        sha256: Sum of the file itself (not of the archive).
        zipped: Whether `url` is a zip archive.
        given_as: What `data.path` takes in its place, for the message.
    """

    url: str
    name: str
    sha256: str
    zipped: bool = False
    given_as: str = "FILE"


def cache_folder() -> Path:
    """Return the folder that downloads are kept in."""
    home = os.environ.get("XDG_CACHE_HOME", "").strip()
    return (Path(home) if home else Path.home() / ".cache") / "rnn-sweep"


def fetch(remote: RemoteFile, folder: Path, timeout_seconds: float = TIMEOUT_SECONDS) -> Path:
    """Return the file from the cache, downloading it first where it isn't there.

    Args:
        remote: What to get.
        folder: The cache.
        timeout_seconds: How long one read from the network may take.

    Raises:
        DataError: it can't be downloaded or stored, or its sum is wrong; with the way out.
    """
    target = folder / f"{remote.sha256[:12]}-{remote.name}"
    if target.is_file() and sha256_of(target) == remote.sha256:
        return target
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=".download-") as scratch:
            got = _download(remote, Path(scratch), timeout_seconds)
            found = sha256_of(got)
            if found != remote.sha256:
                raise DataError(
                    f"{remote.name} from {remote.url} must have the SHA-256 {remote.sha256}, but "
                    f"got {found}; {_way_out(remote)}"
                )
            got.replace(target)
    except (OSError, http.client.HTTPException, zipfile.BadZipFile, KeyError) as error:
        raise DataError(
            f"{remote.name} can't be downloaded from {remote.url} ({_reason(error)}); "
            f"{_way_out(remote)}"
        ) from error
    return target


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file as hexadecimal text."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _download(remote: RemoteFile, scratch: Path, timeout_seconds: float) -> Path:
    got = scratch / "download"
    request = urllib.request.Request(remote.url, headers={"User-Agent": "rnn-sweep"})
    with urllib.request.urlopen(request, timeout=timeout_seconds) as reply, got.open("wb") as out:
        expected = reply.headers.get("Content-Length")
        received = 0
        while block := reply.read(BLOCK_BYTES):
            out.write(block)
            received += len(block)
    if expected is not None and received != int(expected):
        raise OSError(f"it ended after {received} of {expected} bytes")
    if not remote.zipped:
        return got
    member = scratch / "member"  # a name of ours: none of the archive's is ever a path
    with (
        zipfile.ZipFile(got) as archive,
        archive.open(remote.name) as packed,
        member.open("wb") as out,
    ):
        shutil.copyfileobj(packed, out)
    return member


def _reason(error: Exception) -> str:
    if isinstance(error, urllib.error.HTTPError):
        return f"the server answers {error.code} {error.reason}"
    if isinstance(error, urllib.error.URLError):
        return str(error.reason)
    if isinstance(error, zipfile.BadZipFile | KeyError):
        return f"the archive is not as expected: {error}"
    return str(error) or type(error).__name__


def _way_out(remote: RemoteFile) -> str:
    return f"download {remote.name} by hand and give it with --set data.path={remote.given_as}."

"""Archives from strangers: what they hold is read in memory, and nothing lands outside."""

from __future__ import annotations

import gzip
import hashlib
import http.server
import io
import tarfile
import threading
import zipfile
from pathlib import Path

import pytest

from trainers.data.builtin.download import RemoteFile, fetch
from trainers.data.tables.table import read_table
from trainers.errors import DataError

TABLE = b"load\n1\n2\n"


def zipped(*members: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for member in members:
            archive.writestr(member, TABLE)
    return buffer.getvalue()


def tarred(member: tarfile.TarInfo, content: bytes = b"") -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def link(target: str, kind: bytes = tarfile.SYMTYPE) -> tarfile.TarInfo:
    member = tarfile.TarInfo("load.csv")
    member.type, member.linkname = kind, target
    return member


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A data folder beside a file that must be neither read nor written."""
    (tmp_path / "secret.csv").write_text("password\n42\n")
    (tmp_path / "data").mkdir()
    return tmp_path / "data"


def everything(folder: Path) -> dict[str, bytes]:
    return {str(p): p.read_bytes() for p in folder.parent.rglob("*") if p.is_file()}


@pytest.mark.parametrize("member", ["../secret.csv", "/tmp/rnn-sweep-planted.csv", "load.csv"])
def test_a_table_in_a_zip_is_read_and_not_unpacked(folder: Path, member: str) -> None:
    path = folder / "load.csv.zip"
    path.write_bytes(zipped(member))
    before = everything(folder)
    assert read_table(path).frame["load"].tolist() == [1, 2]
    assert everything(folder) == before
    assert not Path("/tmp/rnn-sweep-planted.csv").exists()


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE])
@pytest.mark.parametrize("target", ["../secret.csv", "absolute"])
def test_a_link_in_a_tar_leads_nowhere(folder: Path, kind: bytes, target: str) -> None:
    if target == "absolute":
        target = str(folder.parent / "secret.csv")
    path = folder / "load.csv.tar"
    path.write_bytes(tarred(link(target, kind)))
    with pytest.raises(DataError, match="can't be read as a table") as caught:
        read_table(path)
    assert "password" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("load.csv.zip", b"PK no zip"),
        ("load.csv.zip", zipped()),
        ("load.csv.zip", zipped("a.csv", "b.csv")),
        ("load.csv.tar", b"no tar"),
        ("load.csv.gz", gzip.compress(TABLE * 100)[:-30]),
        ("load.csv.gz", gzip.compress(TABLE)[:10] + b"\xff" * 30),
        ("load.csv.bz2", b"BZh9 broken"),
        ("load.csv.xz", b"broken"),
        ("load.parquet", b"PAR1 broken"),
    ],
    ids=lambda value: value if isinstance(value, str) else "content",  # gzip's bytes hold the time
)
def test_a_broken_archive_is_one_clear_line(folder: Path, name: str, content: bytes) -> None:
    path = folder / name
    path.write_bytes(content)
    with pytest.raises(DataError, match="can't be read as a table") as caught:
        read_table(path)
    assert "\n" not in str(caught.value)


def test_a_download_takes_one_member_by_name_and_writes_nowhere_else(folder: Path) -> None:
    body = zipped("../../secret.csv", "/secret.csv", "load.csv")

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/load.zip"
        sum_ = hashlib.sha256(TABLE).hexdigest()
        got = fetch(RemoteFile(url, "load.csv", sum_, zipped=True), folder / "cache")
        server.shutdown()
    assert got.read_bytes() == TABLE
    assert set(everything(folder)) == {str(folder.parent / "secret.csv"), str(got)}
    assert (folder.parent / "secret.csv").read_text() == "password\n42\n"

"""The downloader against a server on this machine: right, wrong, cut short, missing, not there."""

from __future__ import annotations

import hashlib
import http.server
import io
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from trainers.data.builtin.download import RemoteFile, cache_folder, fetch
from trainers.errors import DataError

CONTENT = b"date,Appliances\n2016-01-11 17:00:00,60\n" * 50
SUM = hashlib.sha256(CONTENT).hexdigest()


def archive(name: str = "data.csv") -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as packed:
        packed.writestr(name, CONTENT)
    return buffer.getvalue()


class Handler(http.server.BaseHTTPRequestHandler):
    requests: list[str]

    def do_GET(self) -> None:
        self.requests.append(self.path)
        bodies = {"/data.csv": CONTENT, "/data.zip": archive(), "/other.zip": archive("b.csv")}
        if self.path == "/short.csv":
            self.reply(CONTENT[:100], len(CONTENT))
        elif self.path in bodies:
            self.reply(bodies[self.path], len(bodies[self.path]))
        else:
            self.send_error(404)

    def reply(self, body: bytes, announced: int) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(announced))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    Handler.requests = []
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        thread = threading.Thread(target=running.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()
        thread.join()


def test_a_file_with_the_right_sum_is_kept_and_not_asked_for_again(
    server: str, tmp_path: Path
) -> None:
    remote = RemoteFile(f"{server}/data.csv", "data.csv", SUM)
    first = fetch(remote, tmp_path / "cache")
    assert first.read_bytes() == CONTENT
    assert fetch(remote, tmp_path / "cache") == first
    assert Handler.requests == ["/data.csv"]
    assert [p.name for p in (tmp_path / "cache").iterdir()] == [first.name]


def test_a_zip_archive_is_unpacked(server: str, tmp_path: Path) -> None:
    remote = RemoteFile(f"{server}/data.zip", "data.csv", SUM, zipped=True)
    assert fetch(remote, tmp_path).read_bytes() == CONTENT


def test_a_spoiled_cache_is_downloaded_again(server: str, tmp_path: Path) -> None:
    remote = RemoteFile(f"{server}/data.csv", "data.csv", SUM)
    fetch(remote, tmp_path).write_bytes(b"spoiled")
    assert fetch(remote, tmp_path).read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("path", "sum_", "zipped", "message"),
    [
        ("/data.csv", "0" * 64, False, f"must have the SHA-256 {'0' * 64}, but got {SUM}"),
        ("/short.csv", SUM, False, f"it ended after 100 of {len(CONTENT)} bytes"),
        ("/missing.csv", SUM, False, "the server answers 404"),
        ("/data.csv", SUM, True, "the archive is not as expected"),
        ("/other.zip", SUM, True, "the archive is not as expected"),
    ],
)
def test_whatever_is_wrong_gives_one_line_with_the_way_out_and_leaves_nothing(
    server: str, tmp_path: Path, path: str, sum_: str, zipped: bool, message: str
) -> None:
    with pytest.raises(DataError, match=message) as caught:
        fetch(RemoteFile(server + path, "data.csv", sum_, zipped), tmp_path)
    assert "--set data.path=FILE" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_no_server_gives_one_line_with_the_way_out(server: str, tmp_path: Path) -> None:
    host, port = server.rsplit(":", 1)
    closed = f"{host}:{1 if port != '1' else 2}"
    with pytest.raises(DataError, match=r"data\.csv can't be downloaded .*refused") as caught:
        fetch(RemoteFile(f"{closed}/data.csv", "data.csv", SUM), tmp_path)
    assert "--set data.path=FILE" in str(caught.value)


def test_a_cache_that_cannot_be_written_gives_one_line(server: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(DataError, match="can't be downloaded"):
        fetch(RemoteFile(f"{server}/data.csv", "data.csv", SUM), tmp_path / "file" / "cache")


def test_the_cache_lies_where_xdg_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "rnn-sweep"
    monkeypatch.setenv("XDG_CACHE_HOME", "")
    assert cache_folder() == Path.home() / ".cache" / "rnn-sweep"

"""Everything that a sweep on a cluster writes or shows, searched for what must not be there."""

from __future__ import annotations

import io
import json
import os
import sqlite3
import threading
import urllib.request
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path

import grpc
from ray.core.generated import gcs_service_pb2 as gcs

Found = Iterator[tuple[str, bytes]]
_PAGES = (
    "/api/jobs/", "/api/v0/actors?detail=1", "/api/v0/workers?detail=1", "/api/v0/jobs?detail=1",
    "/api/v0/runtime_envs?detail=1", "/api/v0/nodes?detail=1", "/api/v0/tasks?detail=1",
    "/nodes?view=summary", "/logical/actors", "/events", "/api/cluster_status",
)  # fmt: skip
_NAMESPACES = (b"", b"job", b"cluster", b"fun", b"dashboard", b"session", b"serve", b"usage_stats")
_SQLITE = b"SQLite format 3\0"


class CommandLines(threading.Thread):
    """Collects the command line of every process of this machine while it runs, as `ps` does."""

    def __init__(self):
        super().__init__(daemon=True)
        self.seen: set[bytes] = set()
        self._over = threading.Event()

    def run(self):
        while not self._over.wait(0.05):
            for path in Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    self.seen.add(path.read_bytes().replace(b"\0", b" "))
                except OSError:
                    continue

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        self.join()

    def found(self) -> Found:
        for line in self.seen:
            yield line.decode(errors="replace")[:80], line


def files(folder: Path) -> Found:
    """Every file below a folder: its bytes; databases row by row too, archives member by member."""
    for root, _, names in os.walk(folder):
        for name in names:
            path = Path(root) / name
            if path.is_symlink() or not path.is_file():  # Ray's sockets
                continue
            content = path.read_bytes()
            yield str(path.relative_to(folder)), content
            if content.startswith(_SQLITE):
                with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
                    yield f"{name}, as SQL", "\n".join(database.iterdump()).encode()
            yield from members(name, content)


def members(name: str, content: bytes) -> Found:
    """What a zip archive holds."""
    if zipfile.is_zipfile(io.BytesIO(content)):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for member in archive.namelist():
                yield f"{name}/{member}", archive.read(member)


def pages(url: str, token: str) -> Found:
    """What the dashboard tells of jobs, actors, processes and their environments."""
    for page in _PAGES:
        yield page, _get(url + page, token)
    for job in json.loads(_get(url + "/api/jobs/", token)):
        if job.get("submission_id"):
            page = f"/api/jobs/{job['submission_id']}/logs"
            yield page, _get(url + page, token)


def stored(address: str, token: str) -> Found:
    """What the head keeps: jobs with their metadata, runtime environments, packages."""
    headers = [("authorization", f"Bearer {token}")]
    with grpc.insecure_channel(address, [("grpc.max_receive_message_length", -1)]) as channel:

        def ask(method, question, answer):
            call = channel.unary_unary(f"/ray.rpc.InternalKVGcsService/{method}")
            raw = call(question.SerializeToString(), metadata=headers, timeout=30)
            return answer.FromString(raw)

        for space in _NAMESPACES:
            keys = gcs.InternalKVKeysRequest(prefix=b"", namespace=space)
            for key in ask("InternalKVKeys", keys, gcs.InternalKVKeysReply).results:
                question = gcs.InternalKVGetRequest(key=key, namespace=space)
                value = ask("InternalKVGet", question, gcs.InternalKVGetReply).value
                name = key.decode(errors="replace")[:60]
                yield name, key + value
                yield from members(name, value)


def leaks(secrets: Mapping[str, str], places: Mapping[str, Found]) -> tuple[list[str], list[str]]:
    """Return where secrets were found, and what was searched: `place: so many things, bytes`."""
    found, searched = [], []
    for place, things in places.items():
        count = size = 0
        for name, content in things:
            count, size = count + 1, size + len(content)
            found += [
                f"{secret} in {place}: {name}"
                for secret, value in secrets.items()
                if value.encode() in content
            ]
        searched.append(f"{place}: {count} things, {size / 2**20:.2f} MiB")
    return found, searched


def _get(url: str, token: str) -> bytes:
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"})
    with urllib.request.urlopen(request, timeout=30) as reply:
        return reply.read()

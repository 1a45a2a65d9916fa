"""The logs under `recorded/`, and folders made of them; its README says where they come from."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from sweep.log.tables import EVENTS, SWEEPS, create_tables

RECORDED = Path(__file__).parent / "recorded"
NAMES = sorted(path.name.removesuffix(".jsonl.gz") for path in RECORDED.glob("*.jsonl.gz"))


def recorded(file: str) -> str:
    return gzip.decompress((RECORDED / f"{file}.gz").read_bytes()).decode()


def lines(name: str) -> list[dict[str, Any]]:
    """The sweep's row, then its events' rows."""
    return [json.loads(line) for line in recorded(f"{name}.jsonl").splitlines()]


def expected(name: str) -> dict[str, Any]:
    return dict(json.loads(recorded(f"{name}.expected.json")))


def rebuilt(name: str, directory: Path) -> Path:
    """Make the log's folder anew; return it."""
    head, *events = lines(name)
    folder = directory / str(head["sweep"])
    folder.mkdir(parents=True)
    engine = sa.create_engine(f"sqlite:///{folder / 'sweep.db'}")
    create_tables(engine)
    rows = [
        {**event, "sweep": head["sweep"], "payload": json.dumps(event["payload"])}
        for event in events
    ]
    with engine.begin() as connection:
        connection.execute(SWEEPS.insert(), [{**head, "config": json.dumps(head["config"])}])
        connection.execute(EVENTS.insert(), rows)
    engine.dispose()
    return folder


def unpack(archive: str, folder: Path) -> None:
    """Put an archive's files beside a log."""
    content = gzip.decompress((RECORDED / f"{archive}.gz").read_bytes())
    with tarfile.open(fileobj=io.BytesIO(content)) as files:
        files.extractall(folder, filter="data")

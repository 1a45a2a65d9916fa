"""Where a SQLite log may lie: never on a network file system, whose locks can't be trusted."""

from __future__ import annotations

from pathlib import Path

from sweep.errors import LogError

NETWORK_TYPES = frozenset(
    [
        "nfs",
        "nfs4",
        "cifs",
        "smb3",
        "smbfs",
        "fuse.sshfs",
        "fuse.glusterfs",
        "ceph",
        "lustre",
        "beegfs",
        "gpfs",
        "afs",
    ]
)


def filesystem_type(path: Path, mounts: str) -> str:
    """Return the type of the file system that holds `path`, given the text of /proc/mounts."""
    best, kind = -1, ""
    resolved = path.resolve()
    for line in mounts.splitlines():
        fields = line.split()
        if len(fields) < 3:
            continue
        point = Path(fields[1].replace("\\040", " "))
        if resolved.is_relative_to(point) and len(point.parts) >= best:
            best, kind = len(point.parts), fields[2]
    return kind


def refuse_network_filesystem(path: Path) -> None:
    """Raise when `path` lies on a network file system.

    Raises:
        LogError: it does; the message names the type and the way out.
    """
    table = Path("/proc/mounts")
    if not table.exists():
        return
    kind = filesystem_type(path, table.read_text())
    if kind in NETWORK_TYPES:
        raise LogError(
            f"a SQLite log must lie on a local disk, but {path} is on {kind}; give --dir a local "
            "folder, or use a PostgreSQL log."
        )

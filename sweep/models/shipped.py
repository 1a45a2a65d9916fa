"""Which files of `trainers` travel with a model: what its code imports, and nothing else.

Cells and losses are imported by what their registries say, `module:object`, when they first run:
all of them travel.
"""

from __future__ import annotations

import ast
import importlib.util
import shutil
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from trainers.config.cells import CELLS
from trainers.config.losses import LOSSES

_PACKAGE = "trainers"


def ship_code(of: Path, folder: Path) -> Path:
    """Copy the modules of `trainers` that a file imports, directly or not.

    Args:
        of: The file.
        folder: Where `trainers/` shall lie.

    Returns:
        The copied package's folder.
    """
    root = _origin(_PACKAGE).parent
    for path in sorted(_closure(of)):
        target = folder / _PACKAGE / path.relative_to(root)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    return folder / _PACKAGE


@cache
def _closure(of: Path) -> frozenset[Path]:
    found: set[Path] = set()
    waiting = [*_imported(of), *_registered()]
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.add(path)
            waiting += _imported(path)
    return frozenset(found)


def _imported(path: Path) -> Iterator[Path]:
    """Yield the files of the modules of `trainers` that a file imports, and of their packages."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names: list[str] = []
        if isinstance(node, ast.ImportFrom) and node.module:
            # `from trainers.network import masks` names a module, `from … import run` does not.
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        for name in names:
            yield from _files_of(name)


def _registered() -> Iterator[Path]:
    """Yield the files that hold the code of cells and losses."""
    places = [CELLS[name].code for name in CELLS]
    for loss in LOSSES.values():
        places += [place for place in (loss.code, loss.point, loss.distribution) if place]
    for place in places:
        yield from _files_of(place.partition(":")[0])


def _files_of(name: str) -> Iterator[Path]:
    """Yield the files of a module of `trainers` and of its packages."""
    if name.partition(".")[0] != _PACKAGE:
        return
    parts = name.split(".")
    for end in range(1, len(parts) + 1):
        if (file := _module_file(".".join(parts[:end]))) is not None:
            yield file


@cache
def _module_file(module: str) -> Path | None:
    base = _origin(_PACKAGE).parent.joinpath(*module.split(".")[1:])
    for path in (base.with_suffix(".py"), base / "__init__.py"):
        if path.is_file():
            return path
    return None


def _origin(package: str) -> Path:
    spec = importlib.util.find_spec(package)
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin)

"""Which files of `trainers` travel with a model: what its code imports, and nothing else.

Cells and losses are imported by what their registries say, `module:object`, when they first run.
"""

from __future__ import annotations

import ast
import importlib.util
import re
import shutil
from collections.abc import Iterator
from functools import cache
from pathlib import Path

_PACKAGE = "trainers"
_CODE = re.compile(r"(trainers\.(?:network|learning)\.[\w.]+):\w+")


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
    waiting = list(_imported(of))
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
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            names = [found[1]] if (found := _CODE.fullmatch(node.value)) else []
        for name in names:
            if name.partition(".")[0] == _PACKAGE:
                parts = name.split(".")
                for end in range(1, len(parts) + 1):
                    module = ".".join(parts[:end])
                    if (file := _module_file(module)) is not None:
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

"""Counts import cycles: among rooms (folders) and among modules, lazy and type-only imports too.

`python -m tests.import_cycles` prints the graph of rooms and ends with 1 where there is a cycle.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("cluster", "search_spaces", "sweep", "trainers")
Graph = dict[str, set[str]]


def modules(root: Path, packages: Iterable[str] = PACKAGES) -> dict[str, Path]:
    """Return the modules of the packages below `root`, by dotted name."""
    found = {}
    for package in packages:
        for path in sorted((root / package).rglob("*.py")):
            parts = path.relative_to(root).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def import_graph(known: Mapping[str, Path]) -> Graph:
    """Return which module names which other in an import statement, wherever that stands."""
    graph: Graph = {}
    for name, path in known.items():
        graph[name] = {t for t in _imported(path, known) if t != name}
    return graph


def _imported(path: Path, known: Mapping[str, Path]) -> Iterable[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in known)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                if full in known or node.module in known:
                    yield full if full in known else node.module


def room_of(module: str) -> str:
    """Return the room of a module: its folder below the package, or the module at the top."""
    return ".".join(module.split(".")[:2])


def rooms(graph: Graph) -> Graph:
    """Return which room imports which other."""
    found: Graph = {}
    for module, targets in graph.items():
        own = found.setdefault(room_of(module), set())
        own |= {room_of(target) for target in targets} - {room_of(module)}
    return found


def cycles(graph: Graph) -> list[list[str]]:
    """Return the groups of two or more that reach each other, by Tarjan's algorithm."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    groups: list[list[str]] = []

    def visit(node: str) -> None:
        index[node] = low[node] = len(index)
        stack.append(node)
        for target in sorted(graph.get(node, ())):
            if target not in index:
                visit(target)
                low[node] = min(low[node], low[target])
            elif target in stack:
                low[node] = min(low[node], index[target])
        if low[node] == index[node]:
            at = stack.index(node)
            groups.append(sorted(stack[at:]))
            del stack[at:]

    for node in sorted(graph):
        if node not in index:
            visit(node)
    return [group for group in groups if len(group) > 1]


def main() -> int:
    """Print the graph of rooms and every cycle."""
    graph = import_graph(modules(ROOT))
    by_room = rooms(graph)
    for room, targets in sorted(by_room.items()):
        sys.stdout.write(f"{room}: {', '.join(sorted(targets)) or '-'}\n")
    found = [("rooms", group) for group in cycles(by_room)]
    found += [("modules", group) for group in cycles(graph)]
    for what, group in found:
        sys.stdout.write(f"cycle of {what}: {' '.join(group)}\n")
    return 1 if any(what == "rooms" for what, _ in found) else 0


if __name__ == "__main__":
    sys.exit(main())

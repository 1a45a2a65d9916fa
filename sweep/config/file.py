"""Read a sweep file's plain values: YAML 1.2 numbers, no duplicate keys, `--set`.

Nothing here knows the sweep's schema; `sweep.config.sections` checks what comes out.
"""

from __future__ import annotations

import math
import re
from collections.abc import Hashable, Iterable
from pathlib import Path
from typing import Any

import yaml

from sweep.errors import ConfigProblem

_MERGE = "tag:yaml.org,2002:merge"
_MOST_VALUES = 100_000
_NO_VALUES = (ValueError, LookupError, AttributeError, TypeError, OverflowError, RecursionError)
PRESETS = Path(__file__).parents[1] / "presets"


class _Loader(yaml.SafeLoader):
    """PyYAML's safe loader, with YAML 1.2's floats (1e-4 is a number) and unique keys."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            if key_node.tag == _MERGE:
                continue
            key = self.construct_object(key_node, deep=True)
            if isinstance(key, Hashable) and key in seen:
                line = key_node.start_mark.line + 1
                raise ConfigProblem(
                    f"a key must stand once, but in {self.name} {key!r} is repeated at line {line}."
                )
            seen.add(key if isinstance(key, Hashable) else None)
        return super().construct_mapping(node, deep=deep)


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^[-+]?(\.\d+|\d+(\.\d*)?)([eE][-+]?\d+)?$"),
    list("-+0123456789."),
)


def parse_yaml(text: str, origin: str) -> Any:
    """Parse YAML text safely.

    Raises:
        ConfigProblem: it is not YAML; the message names `origin` and the line.
    """
    loader = _Loader(text)
    loader.name = origin
    try:
        node = loader.get_single_node()
        if _size(node, {}) > _MOST_VALUES:
            raise ConfigProblem(
                f"{origin} must stand for at most {_MOST_VALUES:,} values, but with its aliases "
                "stands for more."
            )
        return None if node is None else loader.construct_document(node)
    except _NO_VALUES as error:  # 2026-02-30, a number of 5,000 digits, !!bool maybe
        raise ConfigProblem(f"{origin} must be YAML of plain values, but {error}.") from error
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else "?"
        raise ConfigProblem(f"{origin} must be YAML, but line {line}: {error.problem}.") from error
    except yaml.YAMLError as error:
        raise ConfigProblem(f"{origin} must be YAML, but {error}.") from error


def _size(node: yaml.Node | None, known: dict[yaml.Node, float]) -> float:
    """Return how many values a node stands for, aliases written out; infinite if it holds itself.

    Ten lines of aliases of aliases can stand for more than any memory holds.
    """
    if node is not None and node not in known:
        known[node] = math.inf
        inner = node.value if isinstance(node, yaml.CollectionNode) else []
        parts = (
            part for entry in inner for part in (entry if isinstance(entry, tuple) else (entry,))
        )
        known[node] = 1 + sum(_size(part, known) for part in parts)
    return 0 if node is None else known[node]


def preset_names() -> list[str]:
    """Return the names of the sweeps that come with the package."""
    return sorted(path.stem for path in PRESETS.glob("*.yaml"))


def find_sweep_file(spec: str | Path) -> Path:
    """Return the path of a sweep file, or of the preset of that name.

    Raises:
        ConfigProblem: there is neither.
    """
    path = Path(spec).expanduser()
    if path.is_file():
        return path
    preset = PRESETS / f"{spec}.yaml"
    if str(spec) in preset_names():
        return preset
    raise ConfigProblem(
        f"a sweep must be a YAML file or a preset ({', '.join(preset_names())}), but got "
        f"{str(spec)!r}; no such file, and no such preset."
    )


def read_sweep_file(path: Path) -> dict[str, Any]:
    """Return a sweep file's values as they stand there.

    Raises:
        ConfigProblem: the file can't be read or is not a YAML mapping.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigProblem(f"{path} must be a readable text file, but {error}.") from error
    values = parse_yaml(text, str(path))
    if not isinstance(values, dict):
        raise ConfigProblem(
            f"{path} must hold a mapping (name:, data:, …), but holds {_kind(values)}."
        )
    return values


def apply_overrides(values: dict[str, Any], overrides: Iterable[str]) -> None:
    """Apply `a.b=value` texts in order; values are YAML, missing sections are made.

    Raises:
        ConfigProblem: a text has no `=` or an empty part, or its path leads through a value.
    """
    for text in overrides:
        key, equals, value = text.partition("=")
        key = key.strip()
        if not equals or not all(key.split(".")):
            raise ConfigProblem(f"--set must be given as a.b=value, but got {text!r}.")
        # YAML begins its directives with %, and nobody sets one: it is a time's format.
        is_text = value.startswith("%")
        assign(values, key, value if is_text else parse_yaml(value, f"the value of --set {key}"))


def assign(values: dict[str, Any], key: str, value: Any) -> None:
    """Put `value` at a dotted key; missing sections are made.

    Raises:
        ConfigProblem: the path leads through something that is no section.
    """
    node, parts = values, key.split(".")
    for depth, part in enumerate(parts[:-1], start=1):
        if node.get(part) is None:
            node[part] = {}
        if not isinstance(node[part], dict):
            place = ".".join(parts[:depth])
            raise ConfigProblem(
                f"{key} can't be set: {place} must be a section, but is {_kind(node[part])}; "
                f"set it whole: --set '{place}={{…}}'."
            )
        node = node[part]
    node[parts[-1]] = value


def _kind(value: Any) -> str:
    names = {type(None): "nothing", list: "a list", dict: "a section"}
    return names.get(type(value), repr(value))

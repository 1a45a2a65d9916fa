"""The paths in a sweep file: found, made absolute, and kept within the file's folder.

A relative path in a sweep file starts from the file's folder and stays in it: neither `..` nor a
symbolic link leads out. So a sweep file and its folder can be taken from somebody else, and sent
to a cluster, whole. What a user names in `--set` or by an absolute path may lie anywhere.

Which options of `data` are paths, its source says. What it does not say is no way out either: no
text may lead out of the folder, and none that an installed package's source gets may name what
lies in the working directory instead.
"""

from __future__ import annotations

import glob
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from sweep.config.data_options import PREFIX, flattened, is_data_option
from sweep.config.own_code import named_function
from sweep.errors import ConfigProblem

Change = Callable[[str, str], str]
"""Takes a dotted key and the path that stands there, returns the path to put in its place."""


def resolve_paths(values: dict[str, Any], folder: Path, *, inside: bool = False) -> None:
    """Make the relative paths in `values` absolute; already absolute ones stay.

    Args:
        values: A sweep file's plain values; wrong types are left for the schema to name.
        folder: Where relative paths start.
        inside: Whether they must stay in it.

    Raises:
        ConfigProblem: a relative path leaves the folder.
    """

    def absolute(key: str, path: str) -> str:
        if is_address(path):
            return path
        found = _expanded(key, path, folder)
        if inside and is_relative(path):
            keep_inside(key, path, _resolved(key, found), folder)
        return str(found)

    if inside:
        data = _section(values, "data")
        _keep_texts_inside(data, folder)
        _keep_texts_inside({**_drawn_options(values), "source": data.get("source")}, folder)
    change_paths(values, absolute, lambda given: not (folder / given).is_dir())


def change_paths(
    values: dict[str, Any], change: Change, is_sweep_name: Callable[[str], bool] = bool
) -> None:
    """Put `change(key, path)` in the place of every path in `values`.

    These are `data.path` and its like, `path.py:function` in `data.source`, `space.base` and
    `metrics`, `search.warm_start`, where a bare word may be the name of a sweep in --dir, and
    `train.first_weights` where it begins like a path (`./`, `/`, `~`).

    Args:
        values: A sweep file's plain values.
        change: What becomes of a path.
        is_sweep_name: Whether a bare word of `search.warm_start` is a name, and so stays.
    """
    data, space, search = (_section(values, name) for name in ("data", "space", "search"))
    for section, place in ((data, "data.source"), (space, "space.base")):
        key = place.partition(".")[2]
        named = named_function(section.get(key))
        if named:
            section[key] = f"{change(place, named[0])}:{named[1]}"
    if isinstance(metrics := values.get("metrics"), list):
        values["metrics"] = [_in_its_file(text, change) for text in metrics]
    for option in _path_options(data.get("source")):
        if isinstance(data.get(option), str | list):
            data[option] = _each(f"data.{option}", data[option], change)
    train = _section(values, "train")
    given = train.get("first_weights")
    if isinstance(given, str) and given.startswith((".", "/", "~")):
        train["first_weights"] = change("train.first_weights", given)
    if isinstance(search.get("warm_start"), list):

        def earlier(key: str, given: str) -> str:
            bare = Path(given).name == given and is_sweep_name(given)
            return given if bare else change(key, given)

        search["warm_start"] = _each("search.warm_start", search["warm_start"], earlier)


def _in_its_file(text: Any, change: Change) -> Any:
    named = named_function(text)
    return text if named is None else f"{change('metrics', named[0])}:{named[1]}"


def is_address(path: str) -> bool:
    """Whether this is a URL, not a path."""
    return "://" in path


def is_relative(path: str) -> bool:
    """Whether a path starts from the folder of whoever wrote it."""
    return not is_address(path) and not path.startswith("~") and not Path(path).is_absolute()


def named_files(path: Path) -> Iterator[Path]:
    """Yield the files that a path stands for: itself, those of a folder, those of a pattern."""
    if path.is_dir():
        found = (Path(entry.path) for entry in os.scandir(path))
        yield from sorted(f for f in found if f.is_file() and not f.name.startswith("."))
    elif path.exists():
        yield path
    else:
        matches = glob.glob(str(path), recursive=True)  # noqa: PTH207 (the pattern is absolute)
        yield from sorted(Path(match) for match in matches if Path(match).is_file())


def keep_inside(key: str, given: str, found: Path, folder: Path) -> None:
    """Check that what a relative path leads to, be it a folder or a pattern, lies in `folder`.

    Raises:
        ConfigProblem: it, or one of its files, lies elsewhere.
    """
    root = folder.resolve()
    for file in (found, *(file.resolve() for file in named_files(found) if file != found)):
        if not file.is_relative_to(root):
            raise ConfigProblem(
                f"a relative path in a sweep file must stay in the file's folder, but {key}: "
                f"{given} leads to {file}; write the absolute path, or give it with --set {key}=…"
            )


def _path_options(source: Any) -> tuple[str, ...]:
    """Return the options of a source that are paths; an unknown source is the schema's affair."""
    from trainers.data import SOURCES  # numpy: not for those who only ask where a path leads
    from trainers.registry import UnknownEntry

    if named_function(source):
        return ("path",)  # a function's other options are its own affair
    try:
        return SOURCES[source].path_options if isinstance(source, str) else ()
    except UnknownEntry:
        return ()


def _keep_texts_inside(data: Mapping[str, Any], folder: Path) -> None:
    from trainers.data import SOURCES

    source = data.get("source")
    if not isinstance(source, str) or named_function(source):
        return
    starts = [folder.resolve(), *([] if SOURCES.is_own(source) else [Path.cwd()])]
    for option in data.keys() - {"source", *_path_options(source)}:
        for text in _texts(data[option]):
            for start in starts if is_relative(text) else ():
                try:
                    found = (start / text).resolve()
                    if start == starts[0] or next(named_files(found), None) is not None:
                        keep_inside(f"data.{option}", text, found, folder)
                except (OSError, ValueError):  # too long, a zero byte: no path
                    continue


def _drawn_options(values: dict[str, Any]) -> dict[str, Any]:
    """Return the choices of data options that the space draws, by option."""
    parameters = flattened(_section(_section(values, "space"), "parameters"))
    drawn = {str(name): written for name, written in parameters.items()}
    return {n.removeprefix(PREFIX): w for n, w in drawn.items() if is_data_option(n)}


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | dict):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _texts(part)


def _expanded(key: str, path: str, folder: Path) -> Path:
    """Return an absolute path, with the links below `folder` as they are.

    A Kubernetes volume's files lie behind links that bear the time of its mounting, releases behind
    a link `current`: a sweep goes on whatever those lead to, if the data are the same.
    """
    try:
        return Path(os.path.normpath(folder.resolve() / Path(path).expanduser()))
    except RuntimeError as error:  # ~nobody
        raise ConfigProblem(f"{key} must name a path, but got {path!r}: {error}") from error


def _resolved(key: str, path: Path) -> Path:
    try:
        return path.resolve()
    except (OSError, ValueError) as error:  # a loop of links, a zero byte
        raise ConfigProblem(f"{key} must name a path, but got {str(path)!r}: {error}") from error


def _each(key: str, paths: Any, change: Change) -> Any:
    if isinstance(paths, list):
        return [_each(key, path, change) for path in paths]
    return change(key, paths) if isinstance(paths, str) else paths


def _section(values: dict[str, Any], name: str) -> dict[str, Any]:
    section = values.get(name)
    return section if isinstance(section, dict) else {}

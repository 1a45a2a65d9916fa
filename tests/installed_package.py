"""A package of somebody else, as pip would have installed it: a module, and its entry points."""

from collections.abc import Mapping
from pathlib import Path

import pytest


def install(
    patch: pytest.MonkeyPatch, site: Path, module: str, source: str, points: Mapping[str, str]
) -> None:
    """Put `module` on the path.

    Args:
        site: Folder that stands for site-packages.
        source: The module's text.
        points: Entry points as `group.name: object`; a group's own prefix `rnn_sweep.` is left out.
    """
    metadata = site / f"{module}-1.0.dist-info"
    metadata.mkdir(parents=True)
    (site / f"{module}.py").write_text(source)
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.0\n")
    lines = []
    for key, name in points.items():
        group, _, entry = key.partition(".")
        lines += [f"[rnn_sweep.{group}]", f"{entry} = {module}:{name}"]
    (metadata / "entry_points.txt").write_text("\n".join(lines))
    patch.syspath_prepend(site)

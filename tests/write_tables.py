"""Write the parts of READMEs that are read off the code: `python -m tests.write_tables`.

Each stands between `<!-- NAME -->` and `<!-- end of NAME -->`; `tests/sweep/test_docs.py` holds
them to the code.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from sweep.cli.settings import as_yaml
from sweep.config.reference import all_keys
from sweep.config.section import Section
from sweep.config.sweep_config import SweepConfig
from trainers.config.metrics import METRICS
from trainers.config.settings import settings
from trainers.data import SOURCES

ROOT = Path(__file__).parents[1]
SHOWN = {"name": "my-sweep", "data": {"source": "digits"}}


def table_of_settings() -> str:
    """Return the table of all training settings."""
    lines = ["| setting | default | values | unit | meaning |", "|---|---|---|---|---|"]
    group = ""
    for key in all_keys():
        name = key.name.removeprefix("train.")
        if name in settings() and name != key.name:
            if key.group != group:
                group = key.group
                lines.append(f"| **{settings()[name].group}** | | | | |")
            free = "" if settings()[name].structural else "*"
            default = as_yaml(key.default)
            lines.append(
                f"| `{name}`{free} | {default} | {key.values} | {key.unit} | {key.sentence} |"
            )
    return "\n".join(lines)


def sweep_file() -> str:
    """Return a sweep file with every key, its default and what it means."""
    values = {key.name: key.values for key in all_keys()}
    return "\n".join(["```yaml", *_section(SweepConfig.model_validate(SHOWN), values, ""), "```"])


def _section(section: Section, values: dict[str, str], prefix: str) -> Iterator[str]:
    for name, field in type(section).model_fields.items():
        inner, dumped = getattr(section, name), section.model_dump(mode="json")[name]
        is_section = isinstance(inner, Section) and isinstance(dumped, dict)
        default = "" if is_section else as_yaml(dumped)
        written = f"{'  ' * prefix.count('.')}{name}: {default}".rstrip()
        about = (type(inner).__doc__ or "").partition(".\n")[0].rstrip(".") if is_section else ""
        allowed = values.get(prefix + name, "")
        one_of = allowed.removeprefix("one of ").removesuffix(" or a mapping")
        notes = [one_of] if "one of" in allowed else []
        yield f"{written:<27}  # {'; '.join([*notes, field.description or about])}"
        if is_section:
            yield from _section(inner, values, f"{prefix}{name}.")


def searchable_data_options() -> str:
    """Return the table of the data's options that a sweep may search, source by source."""
    lines = ["| source | options |", "|---|---|"]
    for name, source in SOURCES.items():
        options = ", ".join(f"`{option}`" for option in source.search_options)
        lines += [f"| `{name}` | {options} |"] if options else []
    return "\n".join(lines)


def table_of_metrics() -> str:
    """Return the table of all metrics."""
    kinds = {"values": "numbers", "ids": "classes", "labels": "labels"}
    lines = ["| metric | of | better | unit | what it is |", "|---|---|---|---|---|"]
    for name, metric in METRICS.items():
        marks = ("*" if metric.each_epoch and metric.targets else "") + "†" * metric.by_step
        of = ", ".join(kinds[kind] for kind in metric.targets) or "–"
        better = "less" if metric.direction == "minimize" else "more"
        unit = "" if metric.unit == "number" else metric.unit
        sentence = metric.sentence.replace("|", "\\|")
        lines.append(f"| `{name}`{marks} | {of} | {better} | {unit} | {sentence} |")
    return "\n".join(lines)


PARTS: dict[tuple[str, str], Callable[[], str]] = {
    ("trainers/README.md", "settings"): table_of_settings,
    ("trainers/README.md", "metrics"): table_of_metrics,
    ("sweep/README.md", "sweep file"): sweep_file,
    ("search_spaces/README.md", "searchable data options"): searchable_data_options,
}


def written(text: str, name: str, part: str) -> str:
    """Return a page with what stands between a name's marks replaced."""
    before, begin, rest = text.partition(f"<!-- {name} -->\n")
    _, end, after = rest.partition(f"<!-- end of {name} -->\n")
    if not (begin and end):
        raise ValueError(f"a page must have the marks of {name!r}.")
    return before + begin + part + "\n" + end + after


if __name__ == "__main__":
    for (page, name), part in PARTS.items():
        path = ROOT / page
        path.write_text(written(path.read_text(), name, part()))

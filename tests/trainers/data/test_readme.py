"""The README of the data sources does not lie."""

from __future__ import annotations

import re
import runpy
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from trainers.data import SOURCES, load_data
from trainers.data.conformance import check_source
from trainers.data.options import OptionDescription, describe_class
from trainers.data.tables.reading_options import ReadingOptions

README = Path(__file__).parents[3] / "trainers" / "data" / "README.md"
TEXT = README.read_text()
BLOCKS = [yaml.safe_load(block)["data"] for block in re.findall(r"```yaml\n(.*?)```", TEXT, re.S)]


def section(source: str) -> str:
    return next(part for part in TEXT.split("\n## ") if f"`{source}`" in part.split("\n")[0])


def write_examples(base: Path) -> None:
    """Small files of every kind that the README's examples name."""
    times = pd.date_range("2024-01-01", periods=1_000, freq="10min")
    values = {"time": times, "date": times, "load": range(1_000), "Appliances": range(1_000)}
    frame = pd.DataFrame({**values, "price": 1.0, "rv1": 0.0, "rv2": 0.0})
    for name in ("load.csv", "energydata_complete.csv"):
        frame.to_csv(base / name, index=False)
    (base / "waves.py").write_text(re.findall(r"```python\n(.*?)```", TEXT, re.S)[0])
    days = pd.date_range("2020-12-01", "2021-09-01", freq="D").strftime("%Y-%m-%d")
    shop = pd.DataFrame({"time": days, "sales": range(len(days)), "kind": "x"})
    shops = [shop.assign(shop=name, area=area) for name, area in (("A", 80), ("B", 120))]
    pd.concat(shops).to_csv(base / "shops.csv", index=False)
    rows = [f"0{1 + hour // 24}.01.2024 {hour % 24:02d}:00;1.{hour:03d},5" for hour in range(200)]
    (base / "strom.csv").write_text("\n".join(["Zeit;Last", *rows]))
    write_tables(base)
    (base / "books").mkdir()
    for name in ("books/one.txt", "books/two.txt", "input.txt"):
        (base / name).write_text("To be, or not to be:\n" * 50)
    dates = [f"{day} of May\t05-{day}" for day in range(1, 31)]
    (base / "dates.txt").write_text("\n".join(dates))
    (base / "reviews.txt").write_text("Good\t1\nNot good at all\t0\n" * 20)
    (base / "sentiment_sentences").mkdir()
    for name in ("amazon_cells", "imdb", "yelp"):
        path = base / "sentiment_sentences" / f"{name}_labelled.txt"
        path.write_text("Good\t1\nNot good at all\t0\n" * 20)
    (base / "japanese_vowels").mkdir()
    for name, count in (("ae.train", 270), ("ae.test", 370)):
        frames = "\n".join([" ".join(["0.5"] * 12)] * 7)
        (base / "japanese_vowels" / name).write_text(f"{frames}\n\n" * count)

    write_cases(base)


def write_cases(base: Path) -> None:
    (base / "BasicMotions").mkdir()
    cases = "1,2:3,4:rest\n5,6,7:8,9,0:run\n" * 10
    for part in ("TRAIN", "TEST"):
        path = base / "BasicMotions" / f"BasicMotions_{part}.ts"
        path.write_text(f"@classLabel true rest run\n@data\n{cases}")
    (base / "beats.csv").write_text("id,kind,t0,t1\n" + "1,normal,2,3\n2,early,4,5\n" * 10)


def write_tables(base: Path) -> None:
    frame = pd.DataFrame({"walker": [i // 5 for i in range(200)], "frame": list(range(5)) * 40})
    frame = frame.assign(x=1.0, y=2.0, z=3.0, injured=frame["walker"] % 2 == 0)
    frame.to_csv(base / "gait.csv", index=False)
    for folder in ("recordings", "phases"):
        (base / folder).mkdir()
    for number in range(10):
        frame[["x", "y"]][: number + 3].to_csv(base / f"recordings/r{number}.csv", index=False)
        labels = pd.DataFrame({"phase": ["stance", "swing"]})
        labels.to_csv(base / f"phases/r{number}.csv", index=False)


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block["source"])
def test_every_example_keeps_the_contract(block: dict[str, Any], tmp_path: Path) -> None:
    write_examples(tmp_path)
    options = {name: value for name, value in block.items() if name != "source"}
    source = block["source"]
    if source in SOURCES:
        check_source(source, options, tmp_path)
    else:
        file, function = source.split(":")
        own = runpy.run_path(str(tmp_path / file))[function]
        assert len(load_data(source, options, base_dir=tmp_path, function=own).train) > 0


@pytest.mark.parametrize("source", tuple(SOURCES))
def test_every_source_has_an_example(source: str) -> None:
    assert source in {block["source"] for block in BLOCKS} or source == "digits-pixels"


@pytest.mark.parametrize("source", tuple(SOURCES))
def test_every_option_is_told(source: str) -> None:
    missing = [
        o.name
        for o in describe_class(SOURCES[source].options)
        if f"`{o.name}`" not in section(source)
    ]
    assert missing == []


@pytest.mark.parametrize("source", tuple(SOURCES))
def test_tables_of_options_are_the_codes(source: str) -> None:
    told = re.findall(r"^\| `(\w+)` \| (.*?) \|", section(source), re.M)
    if not told:
        return
    options = describe_class(SOURCES[source].options)
    assert sorted(told) == sorted((option.name, shown(option)) for option in options)


def test_the_table_of_reading_options_is_the_codes() -> None:
    part = next(part for part in TEXT.split("\n## ") if part.startswith("Reading tables"))
    told = re.findall(r"^\| `(\w+)` \| (.*?) \|", part, re.M)
    options = describe_class(ReadingOptions)
    assert sorted(told) == sorted((option.name, shown(option)) for option in options)


def shown(option: OptionDescription) -> str:
    default = option.default
    if isinstance(default, tuple) and default:
        return str(list(default))
    if isinstance(default, ReadingOptions):
        return "sniffed"
    plain = {None: "needed" if option.required else "null", (): "none", "": "none"}
    return plain.get(default, str(default).lower())

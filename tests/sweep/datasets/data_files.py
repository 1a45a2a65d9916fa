"""Small data files of every kind."""

import numpy as np
import pandas as pd


def hours(rows=300, start="2021-01-01"):
    """Times an hour apart."""
    return pd.date_range(start, periods=rows, freq="h")


def day_wave(rows=300, seed=0):
    """A load with a daily season."""
    rng = np.random.default_rng(seed)
    return (50 + 9 * np.sin(np.arange(rows) * 2 * np.pi / 24) + rng.normal(size=rows)).round(3)


def load_table(rows=300, **more):
    """A table of hours with a load and a temperature."""
    frame = pd.DataFrame({"time": hours(rows), "load": day_wave(rows)})
    return frame.assign(temp=day_wave(rows, seed=1) / 3, **more)


def write_csv(path, frame=None, **options):
    """Write a table, and return its path."""
    (load_table() if frame is None else frame).to_csv(path, index=False, **options)
    return path


def shops(times=120):
    """Three shops under one another."""
    parts = [load_table(times).assign(shop=name, area=ord(name)) for name in "ABC"]
    return pd.concat(parts, ignore_index=True)


def cases(labels=("a", "b"), count=20, dimensions=2):
    """Lines of a .ts file."""
    rng = np.random.default_rng(0)
    head = ["@problemName Toy", f"@classLabel true {' '.join(labels)}", "@data"]
    lines = []
    for number in range(count):
        steps = 5 + number % 3
        fields = [",".join(f"{v:.3f}" for v in rng.normal(size=steps)) for _ in range(dimensions)]
        lines.append(":".join([*fields, labels[number % len(labels)]]))
    return "\n".join([*head, *lines]) + "\n"


def ucr(count=20, steps=30):
    """Lines of a UCR file, parted by tabs."""
    rng = np.random.default_rng(0)
    rows = [[1 + number % 2, *rng.normal(size=steps).round(4)] for number in range(count)]
    return "".join("\t".join(map(str, row)) + "\n" for row in rows)


def sentences(count=60):
    """Lines text<TAB>label."""
    words = ["bad", "good", "very good indeed", "so so"]
    return "".join(
        f"this film number {n} was {words[n % 4]} to me\t{n % 4 // 2}\n" for n in range(count)
    )

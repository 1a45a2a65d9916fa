"""Small tables to be judged."""

import numpy as np
import pandas as pd

from trainers.data.findings.judged import JudgedTable

ROWS = 400


def judged(frame=None, **values):
    """A table whose numbers are all inputs and whose target is `y`, one row ahead."""
    table = pd.DataFrame(frame)
    numbers = tuple(table.select_dtypes("number").columns)
    usual = {"targets": ("y",), "inputs": numbers, "ahead": range(1, 2), "input_steps": 4}
    return JudgedTable(table, **{**usual, **values})


def temperatures(rows=ROWS, seed=0):
    """Values from about −10 to 35 that never come twice."""
    noise = np.random.default_rng(seed).normal(size=rows)
    return 12 + 12 * np.sin(np.arange(rows) / 9) + 3 * noise


def loads(rows=ROWS, seed=1):
    """Values above 0 with a long tail, rounded to tens, as meters give them."""
    return 10 * np.round(np.random.default_rng(seed).lognormal(2, 0.8, rows)) + 10


def names_of(findings):
    """Kinds and grades."""
    return [(finding.kind, finding.grade) for finding in findings]

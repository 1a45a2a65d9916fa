"""What the report shows of the test part's answers: hand-made answers, hand-counted figures."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from sweep.report.answers.classes import confusion, reliability
from sweep.report.answers.fan import fan
from sweep.report.answers.found import Found
from sweep.report.answers.mistakes import mistakes
from sweep.report.answers.residuals import residuals
from sweep.report.answers.stretches import longest_line, stretches
from trainers.use.kept_answers import KeptAnswers

HOUR = 3_600_000_000_000


def forecasts(count: int = 300, horizon: int = 1, **fields) -> Found:
    """Truth is the row's number; forecasts are one too high, five between rows 150 and 180."""
    rows = np.arange(count)[:, None] + np.arange(horizon)
    wrong = np.where((rows >= 150) & (rows < 180), 5.0, 1.0)
    targets = rows.astype(float)
    reach = np.array([2.0, 6.0])[:, None, None]
    begin = pd.Timestamp("2024-03-01").value
    values = {
        "task": "regression", "names": tuple(f"load+{h + 1}" for h in range(horizon)),
        "units": "MW", "series": (), "horizon": horizon, "levels": (0.5, 0.9),
        "targets": targets, "answers": targets + wrong, "origins": np.arange(count),
        "steps": np.full(count, 5), "low": targets + wrong - reach,
        "high": targets + wrong + reach,
        "times": begin + HOUR * np.arange(count), **fields,
    }  # fmt: skip
    return Found(3, KeptAnswers(**values))


def classes() -> Found:
    """Nine right answers of .8; the tenth, a sure one, takes class 1 for 0."""
    answers = np.full((10, 2), 0.2)
    targets = np.arange(10) % 2
    answers[np.arange(10), targets] = 0.8
    answers[8] = [0.05, 0.95]
    return Found(
        0,
        KeptAnswers(
            "classification", ("cat", "dog"), "", (), 1, (), targets, answers,
            origins=np.arange(10), steps=np.full(10, 7),
        ),
    )  # fmt: skip


def test_the_worst_stretch_is_where_errors_are_largest():
    found = forecasts()
    line = longest_line(found)
    assert line is not None
    chosen = stretches(found, line)
    assert list(chosen) == ["newest", "worst", "best"]
    assert chosen["newest"].targets.tolist() == list(range(204, 300))
    worst = chosen["worst"].targets
    assert worst[0] <= 150
    assert worst[-1] >= 179
    assert np.abs(found.errors[chosen["best"].targets]).max() == 1


def test_forecasts_of_several_steps_follow_each_other_without_overlap():
    line = longest_line(forecasts(50, horizon=4))
    assert line is not None
    assert line.targets.tolist()[:9] == [0, 0, 0, 0, 4, 4, 4, 4, 8]
    assert line.outputs.tolist()[:5] == [0, 1, 2, 3, 0]
    assert (np.diff(line.steps) == 1).all()


def test_of_many_series_the_longest_is_shown_and_none_where_rows_do_not_follow():
    several = forecasts(90, series=("a", "b"), series_of=np.arange(90) % 3 % 2)
    line = longest_line(several)
    assert line is not None
    assert set(several.kept.series_of[line.targets]) == {0}
    assert longest_line(forecasts(50, origins=np.zeros(50, dtype=int))) is None


def test_the_fan_says_what_intervals_hold():
    plot = fan(forecasts())
    # The inner one reaches 2 from the forecast, so it misses the 30 rows that are 5 off.
    assert "50% hold 90.0%, 90% hold 100.0%" in plot.note
    rows = plot.spec["datasets"]["fan_newest"]
    assert rows[0] == {
        "at": "2024-03-09 12:00", "truth": 204.0, "forecast": 205.0, "low0": 203.0, "high0": 207.0,
        "low1": 199.0, "high1": 211.0,
    }  # fmt: skip
    assert plot.png().startswith(b"\x89PNG")


def test_errors_are_told_by_hour_and_by_step_ahead():
    wrong = np.zeros((48, 3))
    wrong[:, 2] = -6.0
    wrong[7, 0] = 4.0
    found = forecasts(48, horizon=3)
    kept = found.kept
    found = forecasts(48, horizon=3, answers=kept.targets + wrong)
    data = residuals(found).spec["datasets"]
    by_step = {(r["group"], r["kind"]): r["value"] for r in data["by_step"]}
    assert by_step[3, "mean error"] == -6
    assert by_step[1, "mean absolute error"] == pytest.approx(4 / 48)
    by_hour = {(r["group"], r["kind"]): r["value"] for r in data["by_hour"]}
    # Hour 7 has six answers, two a step ahead; one is 4 too high, the two third steps 6 too low.
    assert by_hour[7, "mean error"] == pytest.approx((4 - 12) / 6)


def test_the_confusion_matrix_counts_who_is_taken_for_whom():
    plot = confusion(classes())
    cells = {(r["actual"], r["predicted"]): r["count"] for r in plot.spec["datasets"]["confusion"]}
    assert cells == {
        ("cat", "cat"): 4, ("cat", "dog"): 1, ("dog", "cat"): 0, ("dog", "dog"): 5,
    }  # fmt: skip
    assert "1 of 10 wrong" in plot.note
    assert "cat is taken for dog, 1 times" in plot.note


def test_reliability_is_scored_by_the_distance_of_probabilities_from_what_is_right():
    # Nine of .8 are all right, .2 off; one of .95 is wrong, .95 off: (9 * .2 + .95) / 10.
    assert "(ECE) is 0.275" in reliability(classes()).note


def test_the_worst_answers_come_first_with_their_time_and_unit():
    found = forecasts(30)
    answers = found.kept.answers.copy()
    answers[17] += 100
    table = mistakes(forecasts(30, answers=answers))
    first = table.partition("<tbody>")[2].partition("</tr>")[0]
    assert "2024-03-01 17:00" in first
    assert ">101<" in first
    assert "error (MW)" in table
    sure = mistakes(classes())
    assert "cat" in sure
    assert sure.count("<tr") == 2  # heads, and the only one that is wrong


def test_masked_outputs_are_no_mistakes():
    mask = np.ones((30, 1), dtype=bool)
    mask[29] = False
    targets = forecasts(30).kept.targets.copy()
    targets[29] = 1e6
    table = mistakes(forecasts(30, targets=targets, mask=mask))
    assert "1e+06" not in table

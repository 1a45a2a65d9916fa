import io
import math

import pytest
from rich.console import Console

from sweep.cli.printing_compare import show_comparison
from sweep.errors import LogError, UserError
from sweep.log.event import Event
from sweep.log.kinds import Evaluated
from sweep.results.comparison import compare, sparklines
from tests.sweep.events_factory import changed
from tests.sweep.sweep_factory import complete, write_sweep


@pytest.fixture
def directory(tmp_path):
    """Sweep `one`: trials 0 (0.5) and 1 (0.3, tested); sweep `two`: trial 0 (0.2), other seed."""
    events = complete(0, {"cell": "gru", "size": 8}, 0.5)
    events[0] = changed(events[0], config={"max_epochs": 9})
    write_sweep(
        tmp_path,
        *events,
        *complete(1, {"cell": "lstm", "size": 8}, 0.3),
        Event(Evaluated({"rmse": 0.35}), 1),
        name="one",
    )
    write_sweep(
        tmp_path, *complete(0, {"cell": "gru", "size": 8}, 0.2), name="two", search={"seed": 7}
    )
    return tmp_path


def rows(comparison):
    return {
        title: {row.name: (row.first, row.second, row.difference) for row in part}
        for title, part in comparison.parts
    }


class TestSparklines:
    def test_both_curves_share_one_scale_and_one_time_axis(self):
        assert sparklines([0, 7], [7, 0, 7, 0]) == ["▁█", "█▁█▁"]

    def test_long_curves_are_shortened_and_end_with_their_last_value(self):
        (line,) = sparklines([0.0] * 99 + [1.0], width=10)
        assert line == "▁▁▁▁▁▁▁▁▁█"

    def test_what_is_not_finite_is_a_gap(self):
        assert sparklines([0, math.nan, math.inf, 1]) == ["▁  █"]
        assert sparklines([math.nan], []) == ["", ""]

    def test_a_flat_curve_lies_in_the_middle(self):
        assert sparklines([3, 3]) == ["▅▅"]


class TestTrials:
    def test_only_settings_that_differ_are_shown(self, directory):
        found = rows(compare("one/0", "one:1", directory))
        assert found["settings that differ"] == {
            "max_epochs": ("9", "-", ""),
            "cell": ("gru", "lstm", ""),
            "seed": ("100", "101", ""),
        }

    def test_metrics_and_their_differences(self, directory):
        found = rows(compare("one/0", "one/1", directory))
        assert found["metrics"]["validation rmse"] == ("0.5", "0.3", "-0.2")
        assert found["metrics"]["test rmse"] == ("-", "0.35", "")
        assert found["curves, by epoch"]["validation rmse"][:2] == ("██", "▁▁")

    def test_trials_of_two_sweeps(self, directory):
        comparison = compare("one/0", str(directory / "two" / "0"), directory)
        assert (comparison.first, comparison.second) == ("one/0", "two/0")
        assert rows(comparison)["metrics"]["validation rmse"] == ("0.5", "0.2", "-0.3")

    def test_a_trial_that_is_not_there(self, directory):
        with pytest.raises(LogError, match=r"one of 0 … 1, but got 7"):
            compare("one/7", "one/1", directory)


class TestSweeps:
    def test_settings_outcome_and_best_trials(self, directory):
        found = rows(compare("one", "two", directory))
        assert found["settings that differ"] == {
            "name": ("one", "two", ""),
            "search.seed": ("0", "7", ""),
        }
        assert found["outcome"]["complete trials"] == ("2", "1", "-1")
        assert found["best trial"]["trial"] == ("1", "0", "")
        assert found["its parameters that differ"] == {"cell": ("lstm", "gru", "")}
        assert found["its metrics"]["validation rmse"] == ("0.3", "0.2", "-0.1")
        assert found["best so far, by trial"]["best so far"][:2] == ("█▃", "▁")

    def test_a_sweep_and_a_trial_can_not_be_compared(self, directory):
        with pytest.raises(UserError, match="both must be sweeps or both trials"):
            compare("one", "one/1", directory)

    def test_a_sweep_without_trials_compares_all_the_same(self, directory):
        write_sweep(directory, name="none")
        assert "outcome" in rows(compare("one", "none", directory))

    def test_people_see_both_names_and_brackets_stay(self, directory):
        write_sweep(directory, *complete(0, {"cell": "[red]"}, 0.1), name="odd")
        screen = Console(file=io.StringIO(), width=150, markup=False)
        show_comparison(screen, compare("one", "odd", directory))
        assert "[red]" in screen.file.getvalue()
        assert "difference" in screen.file.getvalue()

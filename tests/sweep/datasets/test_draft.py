"""How an error's line names the flags of `init`."""

import pytest

from sweep.datasets.draft import with_flags


@pytest.mark.parametrize(
    ("message", "flags"),
    [
        ("several series are told apart by data.series: shop or sales", "--series shop"),
        ("name their column with data.series, or data.duplicates: mean.",
         "--series and --set data.duplicates=mean"),
        ('choose data.time_format: "%d/%m/%Y %H:%M" or another.',
         "--set 'data.time_format=\"%d/%m/%Y %H:%M\"'"),
        ('set data.reading.missing_values: ["?"], or data.drop: [temp].',
         "--set 'data.reading.missing_values=[\"?\"]' and --set 'data.drop=[temp]'"),
        ("set data.task to classification or to regression.", "--task"),
        ("data.time_column: [date, time] reads them", "--time 'date, time'"),
    ],
)  # fmt: skip
def test_the_flags_follow_the_options_that_a_line_names(message, flags):
    assert with_flags(message) == f"{message} (init takes {flags})"


def test_a_line_without_options_stays():
    assert with_flags("the file is empty.") == "the file is empty."

"""Public holidays by country and part of it."""

from __future__ import annotations

import pytest

from tests.trainers.data.times.time_factory import read
from trainers.data.times.public_holidays import Holidays
from trainers.errors import DataError

DAYS = ["2021-01-01 00:00", "2021-01-06 23:59", "2021-01-07 00:00", "2030-12-25 12:00"]


@pytest.mark.parametrize(
    ("place", "free"), [("DE", [1, 0, 0, 1]), ("DE-BY", [1, 1, 0, 1]), ("US", [1, 0, 0, 1])]
)
def test_a_day_is_free_or_not(place: str, free: list[int]) -> None:
    assert Holidays(place).features(read(DAYS).local()).tolist() == free


def test_days_are_those_of_the_local_clock() -> None:
    rows = read(["2020-12-31T23:30Z"], zone="Europe/Berlin")
    assert Holidays("DE").features(rows.local()).tolist() == [1]


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ("Germany", "DE"),
        ("Germny", r"DE \(Germany\)"),
        ("de-by", "did you mean DE-BY?"),
        ("XX", "holidays package"),
        ("DE-XX", "its parts are BB, BE"),
    ],
)
def test_an_unknown_place_is_refused_with_near_ones(wrong: str, told: str) -> None:
    with pytest.raises(DataError, match=rf"data.holidays.*{told}") as caught:
        Holidays(wrong)
    assert len(str(caught.value)) < 300


def test_years_without_known_holidays_are_said() -> None:
    old = read(["1950-05-01", "2021-05-01"]).local()
    assert "1950" in Holidays("DE").note(old)
    assert Holidays("DE").note(old[1:]) is None

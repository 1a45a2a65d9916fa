"""`data.limit` in a sweep file: a number, or rows of tables."""

import pytest

from sweep.config.data_limit import LimitSection, limit_of
from sweep.config.reference import find_keys
from sweep.config.sweep_config import validate
from sweep.errors import ConfigProblem
from trainers.data.limit import Limit


def limited(limit):
    return validate({"name": "s", "data": {"source": "digits", "limit": limit}}).data.limit


def test_a_number_is_one_of_sequences():
    assert limited(5) == 5
    assert limit_of(limited(5)) == Limit(sequences=5)
    assert limit_of(limited(None)) == Limit()


def test_a_mapping_says_which_rows_are_read():
    assert limit_of(limited({"first": 9})) == Limit(first=9)
    assert limit_of(limited({"last": 9, "sequences": 2})) == Limit(last=9, sequences=2)


def test_what_is_written_is_read_again():
    whole = validate({"name": "s", "data": {"source": "digits", "limit": {"last": 9}}})
    assert validate(whole.model_dump(mode="json")) == whole
    assert isinstance(whole.data.limit, LimitSection)


@pytest.mark.parametrize(
    ("limit", "says"),
    [
        (0, r"^data\.limit must be >= 1, but got 0\.$"),
        ("many", r"^data\.limit must be a whole number, but got 'many'\.$"),
        (True, r"^data\.limit must be a whole number, but got True\.$"),
        ([5], r"^data\.limit must be a whole number, but got \[5\]\.$"),
        ({"last": 0}, r"^data\.limit\.last must be >= 1, but got 0\.$"),
        ({"frist": 2}, r"did you mean data\.limit\.first\?"),
        ({"first": 1, "last": 2}, r"first or the last rows, but got first=1 and last=2"),
    ],
)
def test_a_mistake_names_the_key(limit, says):
    with pytest.raises(ConfigProblem, match=says):
        limited(limit)


def test_number_and_mapping_are_both_in_the_reference():
    names = [key.name for key in find_keys("data.limit")]
    assert names == ["data.limit"]
    assert [key.name for key in find_keys("data") if "limit." in key.name] == [
        "data.limit.first",
        "data.limit.last",
        "data.limit.sequences",
    ]

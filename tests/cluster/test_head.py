import pytest

from cluster.errors import VersionError
from cluster.head import Versions, check_versions

OURS = Versions("2.60.0", "3.11.7")


def test_the_same_versions_fit():
    check_versions("10.0.0.5:6379", Versions("2.60.0", "3.11.7"), OURS)


@pytest.mark.parametrize("theirs", [Versions("2.60.1", "3.11.7"), Versions("2.60.0", "3.11.9")])
def test_another_version_is_told_with_both_sides(theirs):
    with pytest.raises(VersionError) as caught:
        check_versions("10.0.0.5:6379", theirs, OURS)
    assert str(caught.value) == (
        "a driver must run what its cluster runs, but 10.0.0.5:6379 runs "
        f"Ray {theirs.ray} on Python {theirs.python}, and this is Ray 2.60.0 on Python 3.11.7; "
        "use the cluster's versions here, or `rnn-sweep submit`, which runs there."
    )


def test_where_ray_is_told_to_be_lenient_with_pythons_we_are_too(monkeypatch):
    monkeypatch.setenv("RAY_DEFAULT_PYTHON_VERSION_MATCH_LEVEL", "minor")
    check_versions("10.0.0.5:6379", Versions("2.60.0", "3.11.9"), OURS)
    with pytest.raises(VersionError):
        check_versions("10.0.0.5:6379", Versions("2.60.0", "3.12.7"), OURS)

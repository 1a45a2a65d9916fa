"""Every sampler keeps the contract; a file names one, with keys or without; packages add theirs."""

import pytest

from sweep.config.identity import difference, identity
from sweep.config.sampling import SAMPLERS
from sweep.config.schema import config_schema
from sweep.config.sweep_config import validate
from sweep.errors import ConfigProblem
from sweep.search.conformance import check_sampler
from tests.installed_package import install
from tests.sweep.session_runs import fold, run

CORNERS = '''
import itertools
from dataclasses import dataclass, field

from optuna.samplers import RandomSampler

from sweep.config.sampling import SamplerEntry, SamplerSection


class CornersSection(SamplerSection):
    times: int = 1


@dataclass(frozen=True)
class Corners:
    """The first and the last value of every dimension, so many times."""

    points: list
    count: int
    startup: int = 0

    def listed(self, place):
        return self.points[place % len(self.points)]

    def ask(self, seed):
        return RandomSampler(seed=seed)


def build(section, space, seed):
    ends = {name: (values[0], values[-1]) for name, values in space.grid().items()}
    points = [dict(zip(ends, point)) for point in itertools.product(*ends.values())]
    return Corners(points, len(points) * section.times)


CORNERS = SamplerEntry(CornersSection, build)
NONE = SamplerEntry(CornersSection, lambda section, space, seed: None)
'''
SPACE = {"base": None, "parameters": {"hidden_size": [2, 3, 4], "learning_rate": [0.01, 0.1]}}


@pytest.mark.parametrize("name", list(SAMPLERS))
def test_every_sampler_keeps_the_contract(name):
    check_sampler(name)


@pytest.mark.parametrize("name", ["tpe", "gp"])
def test_keys_of_a_sampler_reach_it(name):
    section = SAMPLERS[name].section(name=name, startup_trials=2)
    check_sampler({"name": name, "startup_trials": 2})
    assert SAMPLERS[name].build(section, None, 0).startup == 2


@pytest.fixture
def installed(monkeypatch, tmp_path):
    points = {"samplers.corners": "CORNERS", "samplers.odd": "NONE"}
    install(monkeypatch, tmp_path / "site", "corner_search", CORNERS, points)


@pytest.mark.parametrize("name", ["corners", "corner_search:CORNERS"])
def test_a_package_adds_a_sampler_that_lists_its_points(installed, tmp_path, name):
    check_sampler({"name": name, "times": 2})
    run(tmp_path, space=SPACE, train={"max_epochs": 1}, search={"sampler": name}, budget__trials=9)
    found = [(t.params["hidden_size"], t.params["learning_rate"]) for t in trials(tmp_path)]
    assert found == [(2, 0.01), (2, 0.1), (4, 0.01), (4, 0.1)]
    assert "times" in str(config_schema())


def trials(tmp_path):
    return fold(tmp_path).trials.values()


def test_what_builds_no_sampler_is_one_clear_line(installed, tmp_path):
    with pytest.raises(ConfigProblem, match=r"search.sampler=odd builds a NoneType"):
        run(tmp_path, search={"sampler": "odd"})


def test_a_name_says_the_same_as_a_section_without_more():
    plain, section, other = (
        validate({"name": "s", "data": {"source": "digits"}, "search": {"sampler": sampler}})
        for sampler in ("tpe", {"name": "tpe", "startup_trials": 10}, {"startup_trials": 4})
    )
    assert plain == section
    assert plain.model_dump(mode="json")["search"]["sampler"] == "tpe"
    assert f"{other.search.sampler}" == "tpe"
    assert difference(identity(plain), identity(other)) == [
        "search.sampler: 'tpe' → (not set)",
        "search.sampler.name: (not set) → 'tpe'",
        "search.sampler.startup_trials: (not set) → 4",
    ]


@pytest.mark.parametrize(
    ("sampler", "says"),
    [
        ({"name": "random", "startup_trials": 3}, "with name=random search.sampler.startup_trials"),
        ({"name": "tpe", "startup_trails": 3}, "did you mean search.sampler.startup_trials?"),
        ({"name": "tpe", "startup_trials": -1}, "search.sampler.startup_trials must be >= 0"),
        ("qcm", "did you mean qmc?"),
        (3, "search.sampler must be a section (key: value), but got 3."),
    ],
)
def test_a_samplers_keys_are_its_own(sampler, says):
    with pytest.raises(ConfigProblem) as caught:
        validate({"name": "s", "data": {"source": "digits"}, "search": {"sampler": sampler}})
    assert says in str(caught.value)

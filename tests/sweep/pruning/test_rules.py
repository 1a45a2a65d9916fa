"""Every pruning rule keeps the contract; a file names one and its keys; packages add their own."""

from pathlib import Path

import pytest

from sweep.config.pruning import RULES
from sweep.config.schema import config_schema
from sweep.config.sweep_config import validate
from sweep.errors import ConfigProblem
from sweep.history.state import Standing
from sweep.pruning.conformance import check_rule
from tests.installed_package import install
from tests.sweep.session_runs import fold, run

OPTIONS = {
    "median": {"startup_trials": 0, "interval_epochs": 2},
    "halving": {"min_epochs": 2},
    "hyperband": {"reduction_factor": 2},
    "optuna": {"pruner": "MedianPruner", "options": {"n_startup_trials": 1}},
}
STRICT = '''
from dataclasses import dataclass

from sweep.config.pruning import PruningRule, PruningSection


class StrictSection(PruningSection):
    at: int = 1


@dataclass(frozen=True)
class Strict:
    """Stops everybody but the best at one epoch."""

    at: int
    name: str = "strict"

    def rungs(self, max_epochs, index):
        return (self.at,) if self.at < max_epochs else ()

    def bracket(self, max_epochs, index):
        return 0

    def kept(self, rung):
        best = min(rung.candidates.values(), default=0)
        return {n for n, value in rung.candidates.items() if value == best}


STRICT = PruningRule(StrictSection, lambda section, sign: Strict(section.at))
NOT_A_RULE = PruningRule(StrictSection, lambda section, sign: object())
'''


@pytest.mark.parametrize("name", list(RULES))
def test_every_rule_keeps_the_contract(name):
    check_rule(name, OPTIONS.get(name, {}))


def test_the_readme_names_every_rules_keys():
    page = (Path(__file__).parents[3] / "sweep" / "README.md").read_text()
    rows = {row.split("`")[1]: row for row in page.splitlines() if row.startswith("| `")}
    for name, rule in RULES.items():
        for key in rule.section.model_fields.keys() - {"rule", "audit"}:
            assert f"`{key}" in rows[name]


@pytest.fixture
def installed(monkeypatch, tmp_path):
    points = {"pruning_rules.strict": "STRICT", "pruning_rules.odd": "NOT_A_RULE"}
    install(monkeypatch, tmp_path / "site", "strict_rules", STRICT, points)


@pytest.mark.parametrize("name", ["strict", "strict_rules:STRICT"])
def test_a_package_adds_a_rule_with_keys_of_its_own(installed, tmp_path, name):
    check_rule(name, {"at": 2})
    pruning = {"rule": name, "at": 2}
    run(tmp_path, search={"pruning": pruning}, run={"workers": 2, "order": "reproducible"})
    trials = fold(tmp_path).trials.values()
    assert {t.epoch for t in trials if t.state is Standing.PRUNED} == {2}
    assert "at" in str(config_schema())


def test_what_builds_no_rule_is_one_clear_line(installed, tmp_path):
    with pytest.raises(ConfigProblem, match=r"rule=odd builds a object"):
        run(tmp_path, search={"pruning": {"rule": "odd"}})


@pytest.mark.parametrize(
    ("pruning", "says"),
    [
        (
            {"rule": "median", "reduction_factor": 3},
            "with rule=median search.pruning.reduction_factor is not a known key; known keys of "
            "search.pruning: audit, interval_epochs, min_epochs, rule, startup_trials.",
        ),
        ({"rule": "none", "min_epochs": 3}, "with rule=none search.pruning.min_epochs is not"),
        ({"rule": "halvin"}, "search.pruning.rule must be one of none, median, halving"),
        ({"rule": ["median"]}, "search.pruning.rule must be one of"),
        (
            {"rule": "halving", "reduction_factor": 1},
            "search.pruning.reduction_factor must be >= 2, but got 1.",
        ),
        ({"rule": "median", "startup_trails": 2}, "did you mean search.pruning.startup_trials?"),
        ({"rule": "optuna"}, "search.pruning.pruner must be given"),
        ("median", "search.pruning must be a section (key: value), but got 'median'."),
    ],
)
def test_a_rules_keys_are_its_own(pruning, says):
    with pytest.raises(ConfigProblem) as caught:
        validate({"name": "s", "data": {"source": "digits"}, "search": {"pruning": pruning}})
    assert str(caught.value).startswith(says) or says in str(caught.value)
    assert "\n" not in str(caught.value)

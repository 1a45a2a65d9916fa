import pytest
from optuna.trial import TrialState as OptunaState

from search_spaces import build_space
from sweep.config.sampling import SAMPLERS
from sweep.errors import ConfigProblem
from sweep.history.goal import Constraint, Goal
from sweep.history.state import Pause, Standing, TrialState
from sweep.log.event import Event
from sweep.log.kinds import Warmed
from sweep.search.seeds import ask_seed
from sweep.search.study import Search, SearchRules, search_limit
from trainers.config.objective import Objective

PARAMETERS = {
    "learning_rate": {"low": 1e-4, "high": 1.0, "log": True},
    "cell": ["lstm", "gru"],
    "tbptt_forward_steps": [None, 5],
    "hidden_size": 8,
}


def space(parameters=PARAMETERS):

    return build_space(None, parameters)


def rules(sampler="tpe", constraints=(), **extra):
    goal = Goal((Objective("loss"),), constraints)
    return SearchRules(sampler=SAMPLERS[sampler].section(name=sampler), seed=3, goal=goal, **extra)


def ended(number, params, value=None, state=Standing.COMPLETE, reason=""):
    trial = TrialState(number, f"u{number}", params, {}, 0, "sampler", 0.0)
    trial.state, trial.reason, trial.epoch = state, reason, 2
    trial.values = () if value is None else (value,)
    trial.best = {} if value is None else {"loss": value}
    trial.index = trial.lead = number
    return trial


def loss_of(params):
    return abs(params["learning_rate"] - 0.05) + (params["cell"] == "gru")


def run(search, trials, restart_at=()):
    """Ask and tell one by one; at the numbers given, rebuild the search as a resume does."""
    done = []
    for number in range(trials):
        if number in restart_at:
            search = Search(space(), search._rules)
            for trial in done:
                search.restore(trial)
            for trial in done:
                search.tell(trial)
        params, _ = search.ask()
        done.append(ended(number, params, loss_of(params)))
        search.tell(done[-1])
    return [trial.params for trial in done]


@pytest.mark.parametrize("sampler", ["tpe", "random", "qmc", "gp"])
def test_a_search_rebuilt_from_the_log_proposes_what_the_undisturbed_one_does(sampler):
    whole = run(Search(space(), rules(sampler)), 13)
    assert run(Search(space(), rules(sampler)), 13, restart_at=(1, 5, 12)) == whole
    assert len({params["learning_rate"] for params in whole}) >= 12


def test_running_trials_are_part_of_the_rebuilt_search():
    first = Search(space(), rules())
    trials = [ended(n, first.ask()[0], 0.1 * n) for n in range(14)]
    for trial in trials[:12]:
        first.tell(trial)
    second = Search(space(), rules())
    for trial in trials:
        second.restore(trial)
    for trial in trials[:12]:
        second.tell(trial)
    assert second.ask() == first.ask()


def test_tpe_finds_the_optimum_and_prefers_the_better_cell():
    tried = run(Search(space(), rules()), 60)
    assert min(map(loss_of, tried)) < 0.01
    assert sum(params["cell"] == "lstm" for params in tried[20:]) >= 26


def test_the_grid_is_walked_once_in_an_order_drawn_from_the_seed():
    axes = {"cell": ["lstm", "gru"], "hidden_size": [8, 16, 32], "num_layers": 1}
    search = Search(space(axes), rules("grid"))
    assert search_limit(space(axes), rules("grid")) == 6
    asked = [search.ask()[0] for _ in range(6)]
    assert len({(p["cell"], p["hidden_size"]) for p in asked}) == 6
    assert all(p["num_layers"] == 1 for p in asked)
    again = Search(space(axes), rules("grid"))
    assert [again.ask()[0] for _ in range(6)] == asked


def test_a_grid_without_dimensions_is_refused():
    with pytest.raises(ConfigProblem, match="at least one dimension"):
        Search(space({"cell": "lstm"}), rules("grid"))


def test_known_configurations_come_first_and_may_be_partial():
    known = ({"learning_rate": 0.5}, {"cell": "gru", "learning_rate": 0.25})
    search = Search(space(), rules(enqueue=known))
    first, second, third = (search.ask() for _ in range(3))
    assert (first[0]["learning_rate"], first[1]) == (0.5, "enqueued")
    assert (second[0]["learning_rate"], second[0]["cell"]) == (0.25, "gru")
    assert third[1] == "sampler"


def test_a_stopped_or_diverged_trial_is_never_told_as_complete_or_failed():
    search = Search(space(), rules())
    for number, (state, reason) in enumerate(
        [(Standing.PRUNED, ""), (Standing.FAILED, "diverged"), (Standing.FAILED, "error")]
    ):
        params, _ = search.ask()
        search.tell(ended(number, params, 0.5 if state is Standing.PRUNED else None, state, reason))
    told = [(t.state.name, t.value) for t in search._study.trials]
    assert told == [("PRUNED", 0.5), ("PRUNED", None), ("FAIL", None)]


def test_a_warm_start_trial_counts_without_being_one_of_ours():
    search = Search(space(), rules())
    params = {"learning_rate": 0.05, "cell": "lstm", "tbptt_forward_steps": None}
    search.warm(params, [0.1], "complete")
    search.warm(params, [0.4], "pruned")
    assert [(t.state.name, t.value) for t in search._study.trials] == [
        ("COMPLETE", 0.1),
        ("PRUNED", None),
    ]
    asked, _ = search.ask()
    search.tell(ended(0, asked, 0.2))
    assert search._study.trials[2].value == 0.2


def test_constraints_reach_the_sampler():
    limits = (Constraint("parameters", max=100.0), Constraint("loss", min=0.2))
    search = Search(space(), rules(constraints=limits))
    params, _ = search.ask()
    trial = ended(0, params, 0.5)
    trial.parameters = 130
    search.tell(trial)
    assert sorted(search._study.trials[0].constraints.values()) == pytest.approx([-0.3, 30.0])


def test_several_objectives_are_told_as_they_are():
    both = Goal((Objective("loss"), Objective("r2", "maximize")))
    search = Search(space(), SearchRules(SAMPLERS["tpe"].section(), 0, both))
    for number in range(12):
        params, _ = search.ask()
        trial = ended(
            number, params, 0.5, Standing.PRUNED if number % 3 == 0 else Standing.COMPLETE
        )
        trial.values = (0.5, 0.9)
        search.tell(trial)
    assert search._study.trials[1].values == [0.5, 0.9]


def test_ask_seeds_differ_by_trial_and_purpose():
    seeds = {ask_seed(0, n, p) for n in range(100) for p in ("ask", "train")}
    assert len(seeds) == 200
    assert ask_seed(0, 5) == ask_seed(0, 5)


def test_warmed_events_are_told_when_the_search_is_restored():
    from sweep.history.state import SweepState
    from sweep.search.study import restore_search

    state = SweepState()
    params = {"learning_rate": 0.05, "cell": "lstm", "tbptt_forward_steps": 5}
    state.apply(Event(Warmed(params, (0.1,), "complete", "earlier"), seq=1))
    search = restore_search(space(), rules(), state, before=lambda index: [])
    assert [t.params["tbptt_forward_steps"] for t in search._study.trials] == [5]


def test_a_paused_trial_is_told_as_it_stood_and_added_again_when_it_is_complete():
    search = Search(space(), rules())
    params, _ = search.ask()
    trial = ended(0, params, 0.2)
    trial.first_pause = Pause(1, (0.7,), {"loss": 0.7})
    search.tell(trial)
    search.tell(trial, again=True)
    first, second = search._study.trials
    assert (first.state, first.intermediate_values) == (OptunaState.PRUNED, {1: 0.7})
    assert (second.state, second.value, second.params) == (OptunaState.COMPLETE, 0.2, first.params)

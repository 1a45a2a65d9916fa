"""Who asks for what when trials come in packs: structures are followed, and none starves."""

import dataclasses
import math
from collections import Counter

from search_spaces import build_space
from sweep.history.goal import Goal
from sweep.history.state import Standing, TrialState
from sweep.pruning.none import NoPruning
from sweep.running.scheduler import FILLS, Scheduling, decide
from sweep.search.independent import RANDOM
from sweep.search.study import Search, SearchRules
from sweep.search.tpe import TPE
from tests.sweep.events_factory import asked, changed, completed, folded, run_of
from trainers.config.objective import Objective

FREE_STARTUP = TPE.section().startup_trials
PACKS = Scheduling("free", target=100, rule=NoPruning(), look_ahead=12, cohort=4, pack=4)
LOSS = Goal((Objective("loss"),))
CELLS = ["lstm", "gru", "rnn_tanh", "rnn_relu"]
PARAMETERS = {"learning_rate": {"low": 1e-4, "high": 1.0, "log": True}, "cell": CELLS}


def following(trial, lead):
    return changed(asked(trial), lead=lead)


def test_a_worker_is_filled_up_to_its_pack():
    state = folded(*run_of(0))
    assert decide(state, {"w0": [0]}, PACKS).ask
    full = folded(*(event for n in range(4) for event in run_of(n)))
    assert not decide(full, {"w0": [0, 1, 2, 3]}, PACKS).ask


def test_a_worker_may_say_that_it_can_take_less():
    state = folded(*run_of(0), *run_of(1))
    assert decide(state, {"w0": [0, 1]}, PACKS).ask
    assert not decide(state, {"w0": [0, 1]}, PACKS, {"w0": 2}).ask


def test_the_next_trial_of_a_pack_follows_its_structure_until_the_pack_was_filled_twice():
    trials = [event for n in range(3) for event in run_of(n)]
    assert decide(folded(*trials), {"w0": [2]}, PACKS).follow == 2
    led = [*run_of(0), *(following(n, 0) for n in range(1, FILLS * PACKS.pack))]
    state = folded(*led, *(completed(n, 0.5) for n in range(1, FILLS * PACKS.pack)))
    decided = decide(state, {"w0": [0]}, PACKS)
    assert decided.ask
    assert decided.follow is None


def test_a_trial_that_joins_a_worker_now_is_followed_at_once():
    decided = decide(folded(asked(0)), {"w0": []}, PACKS)
    assert decided.assignments == ((0, "w0"),)
    assert (decided.ask, decided.follow) == (True, 0)


def test_a_worker_that_measured_its_own_pack_is_filled_with_one_structure():
    rules = dataclasses.replace(PACKS, pack=1)
    state = folded(*run_of(0))
    decided = decide(state, {"w0": [0]}, rules, {"w0": 16})
    assert (decided.ask, decided.follow) == (True, 0)
    assert decide(state, {"w0": []}, rules, {"w0": 1}).follow is None


def test_in_reproducible_order_consecutive_trials_share_a_structure():
    rules = dataclasses.replace(PACKS, order="reproducible", look_ahead=100)
    follows = []
    for count in range(18):
        state = folded(*(asked(n) for n in range(count)))
        for trial in state.trials.values():
            trial.state = Standing.RUNNING
        follows.append(decide(state, {"w0": []}, rules).follow)
    assert follows == [None, *[0] * 7, None, *[8] * 7, None, 16]


def test_a_waiting_trial_joins_the_worker_that_trains_its_structure():
    state = folded(*run_of(0), *run_of(1, worker="w1"), following(2, 1), following(3, 0))
    chosen = decide(state, {"w0": [0], "w1": [1]}, PACKS).assignments
    assert set(chosen) == {(3, "w0"), (2, "w1")}


def told(search, index, params, loss):
    trial = TrialState(index, f"u{index}", params, {}, 0, "sampler", 0.0)
    trial.index, trial.state, trial.epoch = index, Standing.COMPLETE, 1
    trial.values, trial.best = (loss,), {"loss": loss}
    search.tell(trial)


def sweep_in_packs(trials, pack, loss_of):
    """Ask and tell a whole search, one pack of `pack * FILLS` after the other."""
    space = build_space(None, PARAMETERS)
    search = Search(space, SearchRules(TPE.section(), 1, LOSS, packs=True))
    tried = []
    for index in range(trials):
        place = index % (pack * FILLS)
        pin = {"cell": tried[index - place]["cell"]} if place else None
        params, _ = search.ask(pin)
        tried.append(params)
        told(search, index, params, loss_of(params))
    return tried


def test_pinned_asks_keep_the_structure_and_draw_the_rest():
    tried = sweep_in_packs(16, 4, lambda params: params["learning_rate"])
    assert len({params["cell"] for params in tried[:8]}) == 1
    assert len({params["learning_rate"] for params in tried}) == 16


def test_a_pinned_ask_learns_from_its_own_structures_trials_alone():
    """`gru` is better everywhere, and its best learning rate is far from that of `lstm`."""
    search = Search(build_space(None, PARAMETERS), SearchRules(TPE.section(), 1, LOSS))
    best, start = {"gru": 1e-3, "lstm": 0.5}, {"gru": 0.0, "lstm": 1.0}
    rates = []
    for index in range(80):
        cell = ("gru", "lstm")[index % 2]
        params, _ = search.ask({"cell": cell})
        off = abs(math.log(params["learning_rate"] / best[cell]))
        told(search, index, params, start[cell] + off)
        rates.append(params["learning_rate"])
    assert sum(rate > 0.1 for rate in rates[-39::2]) >= 15


def test_the_first_free_asks_are_drawn_at_random_whatever_packs_have_shown():
    space = build_space(None, PARAMETERS)
    search = Search(space, SearchRules(TPE.section(), 1, LOSS, packs=True))
    blind = Search(space, SearchRules(RANDOM.section(name="random"), 1, LOSS))
    for index in range(5 * FREE_STARTUP):
        free = index % 5 == 0
        params, _ = search.ask(None if free else {"cell": "gru"})
        drawn, _ = blind.ask()
        assert params == drawn or not free
        told(search, index, params, params["learning_rate"])
    assert search.ask()[0] != blind.ask()[0]


def test_no_structure_starves_and_the_best_one_wins():
    """All begin alike; `gru` is better, but only where the learning rate is right."""

    def loss(params):
        rate = abs(params["learning_rate"] - 0.01)
        return rate + (0.0 if params["cell"] == "gru" else 0.2)

    pack = 4
    tried = sweep_in_packs(pack * FILLS * 30, pack, loss)
    leads = [tried[n]["cell"] for n in range(0, len(tried), pack * FILLS)]
    assert set(leads[:FREE_STARTUP]) == set(CELLS)
    assert Counter(leads[FREE_STARTUP:]).most_common(1)[0][0] == "gru"

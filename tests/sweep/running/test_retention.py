import pytest

from sweep.log.event import Event
from sweep.log.kinds import Checkpointed, Evaluated, Pruned, Recalled
from sweep.running.retention import Retention
from tests.sweep.events_factory import completed, folded, run_of, some


@pytest.fixture
def disk(tmp_path):
    folder = tmp_path / "checkpoints"
    folder.mkdir()

    def write(name):
        path = folder / name
        path.write_text("x")
        return str(path)

    return folder, write


def saved(trial, path):
    return Event(Checkpointed(path, 1), trial, 1, 1)


def objective(trial):
    return trial.values[0]


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def follow(retention, state, *events):
    for event in events:
        state.apply(event)
        retention.follow(event, state.trials[event.trial])


def test_a_newer_checkpoint_replaces_the_older_one(disk):
    folder, write = disk
    state, retention = folded(*run_of(0)), Retention(folder.parent, 1, objective)
    follow(retention, state, saved(0, write("a")), saved(0, write("b")))
    assert names(folder) == ["b"]


def test_only_the_best_complete_trials_keep_their_weights(disk):
    folder, write = disk
    state = folded(*run_of(0), *run_of(1), *run_of(2))
    retention = Retention(folder.parent, 2, objective)
    for trial, loss in ((0, 0.3), (1, 0.1), (2, 0.2)):
        path = write(f"t{trial}")
        follow(retention, state, saved(trial, path), completed(trial, loss, checkpoint=path))
    assert names(folder) == ["t1", "t2"]
    assert retention.kept() == {1, 2}


def test_a_pruned_trial_keeps_nothing(disk):
    folder, write = disk
    state, retention = folded(*run_of(0)), Retention(folder.parent, 1, objective)
    pruned = Event(some(Pruned, values=(0.5,)), 0, 1, 1)
    follow(retention, state, saved(0, write("a")), pruned)
    assert names(folder) == []


def test_after_a_restart_files_that_no_event_names_are_deleted(disk):
    folder, write = disk
    kept, best = write("trial-00000.a1.e0001.b.x"), write("trial-00001.a1.e0009.b.x")
    for orphan in ("trial-00000.a1.e0001.a.x", ".trial-00001.a1.e0009.c.x.77.tmp"):
        write(orphan)
    state = folded(*run_of(0), saved(0, kept), *run_of(1), completed(1, 0.1, checkpoint=best))
    retention = Retention(folder.parent, 1, objective)
    retention.restore(state)
    assert names(folder) == ["trial-00000.a1.e0001.b.x", "trial-00001.a1.e0009.b.x"]


def test_files_of_who_took_the_sweep_over_unnoticed_are_left_alone(disk):
    folder, write = disk
    theirs = ["notes.txt", "trial-00000.a2.e0001.a.x", "trial-00001.a1.e0001.a.x"]
    for name in theirs:
        write(name)
    Retention(folder.parent, 1, objective).restore(folded(*run_of(0)))
    assert names(folder) == theirs


def test_the_best_is_the_highest_where_the_objective_is_maximised(disk):
    folder, write = disk
    state, retention = (
        folded(*run_of(0), *run_of(1)),
        Retention(folder.parent, 1, lambda trial: -objective(trial)),
    )
    for trial, value in ((0, 0.9), (1, 0.1)):
        path = write(f"t{trial}")
        follow(retention, state, completed(trial, value, checkpoint=path))
    assert names(folder) == ["t0"]


def test_a_replicate_keeps_its_weights_until_it_is_evaluated_and_costs_no_other_its_own(disk):
    folder, write = disk
    state = folded(*run_of(0), *run_of(1))
    state.trials[1].source = "replicate"
    retention = Retention(folder.parent, 1, objective)
    for trial, loss in ((0, 0.3), (1, 0.1)):
        path = write(f"t{trial}")
        follow(retention, state, saved(trial, path), completed(trial, loss, checkpoint=path))
    assert names(folder) == ["t0", "t1"]
    assert retention.kept() == {0}
    Retention(folder.parent, 1, objective).restore(state)
    assert names(folder) == ["t0", "t1"]
    follow(retention, state, Event(Evaluated({"loss": 0.2}), 1))
    assert names(folder) == ["t0"]


def test_the_best_that_a_rung_has_stopped_keep_theirs_until_the_search_is_over(disk):
    folder, write = disk
    state = folded(*run_of(0), *run_of(1), *run_of(2))
    retention = Retention(folder.parent, 1, objective, spare=2)
    for trial, loss in ((0, 0.3), (1, 0.1), (2, 0.2)):
        pruned = Event(some(Pruned, values=(loss,)), trial, 1, 1)
        follow(retention, state, saved(trial, write(f"t{trial}")), pruned)
    assert names(folder) == ["t1", "t2"]
    again = Retention(folder.parent, 1, objective, spare=2)
    again.restore(state)
    follow(again, state, Event(Recalled(0, {}), 1, 1, 1))
    again.forget_stopped()
    assert names(folder) == ["t1"]

import io

import pytest
from rich.console import Console

from sweep.cli.printing_replicates import show_replicates
from sweep.history.goal import ranked
from sweep.log.event import Event
from sweep.log.kinds import Completed, Evaluated, Failed, Pruned
from sweep.results.audit import audit
from sweep.results.replicates import Estimate, PairedTest, replication
from sweep.results.results import open_results
from sweep.results.rows import frame
from sweep.results.tables import results_table
from tests.sweep.events_factory import changed
from tests.sweep.sweep_factory import asked, complete, ended, trained, write_sweep


def repeats(trial, of, rmse, seed, source="replicate", test=None):
    """A whole trial that repeats trial `of`."""
    begin, *events = complete(trial, {}, rmse)
    begin = changed(begin, source=source, of=of, seed=seed)
    return [begin, *events, *([] if test is None else [on_test(trial, test)])]


def on_test(trial, rmse):
    return Event(Evaluated({"rmse": rmse}), trial)


def sweep_of(tmp_path, first, second, **sections):
    """Trials 0 (0.30) and 1 (0.31), their replicates on seeds 1, 2, … at `first` and `second`."""
    events = [*complete(0, {"k": 1}, 0.30), *complete(1, {"k": 2}, 0.31)]
    number = 2
    for of, values in ((0, first), (1, second)):
        for seed, value in enumerate(values, start=1):
            events += repeats(number, of, value, seed)
            number += 1
    return open_results(write_sweep(tmp_path, *events, **sections))


class TestEstimate:
    def test_mean_deviation_and_t_interval(self):
        found = Estimate.of([1, 2, 3, 4, 5])
        assert (found.count, found.mean) == (5, 3.0)
        assert found.deviation == pytest.approx(1.5811388)
        # t(0.975, 4 degrees of freedom) = 2.776445; 2.776445 * 1.5811388 / sqrt(5) = 1.963243
        assert (found.low, found.high) == pytest.approx((3 - 1.963243, 3 + 1.963243), abs=1e-6)

    def test_one_value_has_no_interval(self):
        assert Estimate.of([2.0]) == Estimate(1, 2.0, None, None, None)


class TestPairedTest:
    def test_differences_of_one_two_three(self):
        found = PairedTest.of([11, 22, 33], [10, 20, 30])
        assert found.difference.mean == 2.0
        # t = 2 / (1 / sqrt(3)) = 3.4641 with 2 degrees of freedom: p = 0.0742
        assert found.p_value == pytest.approx(0.0742, abs=1e-4)
        # of the 8 sign flips only +++ and --- are as far from zero as 6
        assert found.exact_p_value == 0.25

    def test_pairs_see_what_two_samples_hide(self):
        seeds = [0.0, 10.0, 20.0, 30.0, 40.0]
        second = [
            seed + shift for seed, shift in zip(seeds, [1.0, 1.1, 0.9, 1.0, 1.05], strict=True)
        ]
        assert PairedTest.of(seeds, second).p_value < 1e-4

    def test_equal_differences_fall_back_on_the_exact_test(self):
        assert PairedTest.of([2.0, 3.0], [1.0, 2.0]).p_value == 0.5
        assert PairedTest.of([2.0, 3.0], [2.0, 3.0]).p_value == 1.0


class TestReplication:
    def test_a_sweep_without_replicates_has_none(self, tmp_path):
        assert replication(sweep_of(tmp_path, [], [])) is None

    def test_a_finalists_own_seed_is_in_its_mean_and_in_no_pair(self, tmp_path):
        found = replication(sweep_of(tmp_path, [0.31, 0.32, 0.33], [0.32, 0.33, 0.37]))
        first, second = found.finalists
        assert [first.trial.number, second.trial.number] == [0, 1]
        assert first.by_seed == {100: 0.30, 1: 0.31, 2: 0.32, 3: 0.33}
        assert first.estimate.mean == pytest.approx(0.315)
        assert found.test.difference.count == 3
        assert found.test.difference.mean == pytest.approx(-0.02)

    def test_a_winner_by_luck_is_called_so(self, tmp_path):
        found = replication(sweep_of(tmp_path, [0.36, 0.30, 0.34], [0.33, 0.35, 0.30]))
        assert found.verdict.startswith("The winner can't be told from the second: validation rmse")

    def test_a_real_winner_is_called_so(self, tmp_path):
        found = replication(sweep_of(tmp_path, [0.30, 0.31, 0.33, 0.3], [0.4, 0.42, 0.43, 0.41]))
        assert found.verdict.startswith("The winner is better than the second")

    def test_the_second_may_turn_out_better(self, tmp_path):
        found = replication(sweep_of(tmp_path, [0.4, 0.42, 0.43, 0.41], [0.30, 0.31, 0.33, 0.3]))
        assert found.verdict.startswith("The second is better than the winner")

    def test_a_maximized_metric_is_read_the_other_way(self, tmp_path):
        objectives = [{"metric": "r2", "direction": "maximize"}]
        events = []
        for number, of, seed, r2 in [
            (0, None, 0, 0.9), (1, None, 0, 0.8),
            (2, 0, 1, 0.91), (3, 0, 2, 0.9), (4, 0, 3, 0.89),
            (5, 1, 1, 0.71), (6, 1, 2, 0.72), (7, 1, 3, 0.7),
        ]:  # fmt: skip
            begin = changed(asked(number, k=1), seed=seed + number * (of is None))
            if of is not None:
                begin = changed(begin, source="replicate", of=of)
            end = ended(Completed, number, 1, {"r2": r2}, values=(r2,))
            events += [begin, *trained(number, 1, {"r2": r2, "loss": 1.0}), end]
        folder = write_sweep(
            tmp_path, *events, objectives=objectives, search={"objectives": objectives}
        )
        found = replication(open_results(folder))
        assert found.verdict.startswith("The winner is better than the second")

    def test_one_shared_seed_tells_nothing(self, tmp_path):
        found = replication(sweep_of(tmp_path, [0.3], [0.4]))
        assert found.test is None
        assert "share fewer than two seeds" in found.verdict

    def test_the_test_part_counts_once_all_were_evaluated_there(self, tmp_path):
        events = [
            *complete(0, {"k": 1}, 0.3), on_test(0, 0.5),
            *complete(1, {"k": 2}, 0.4), on_test(1, 0.6),
            *repeats(2, 0, 0.3, 1, test=0.52), *repeats(3, 0, 0.3, 2, test=0.54),
            *repeats(4, 1, 0.4, 1, test=0.62), *repeats(5, 1, 0.4, 2, test=0.61),
        ]  # fmt: skip
        found = replication(open_results(write_sweep(tmp_path, *events)))
        assert found.part == "test"
        assert list(found.finalists[0].by_seed.values()) == [0.5, 0.52, 0.54]

    def test_a_lost_replicate_is_counted(self, tmp_path):
        events = [*complete(0, {"k": 1}, 0.3), *repeats(1, 0, 0.31, 1)]
        begin = asked(2, k=1)
        begin = changed(begin, source="replicate", of=0)
        fail = Event(Failed("diverged", "not finite"), 2, 1, 0)
        found = replication(open_results(write_sweep(tmp_path, *events, begin, fail)))
        assert (found.finalists[0].estimate.count, found.finalists[0].lost) == (2, 1)
        assert "no second" in found.verdict

    def test_replicates_are_not_ranked_and_not_in_the_table(self, tmp_path):
        results = sweep_of(tmp_path, [0.1], [0.2])
        assert [t.number for t in ranked(results.trials, results.goal)] == [0, 1]
        assert list(results_table(results, 200).columns[0].cells) == ["0", "1"]
        assert list(frame(results)["source"])[2:] == ["replicate", "replicate"]

    def test_people_see_the_means_and_the_verdict(self, tmp_path):
        screen = Console(file=io.StringIO(), width=200)
        show_replicates(screen, sweep_of(tmp_path, [0.36, 0.30, 0.34], [0.33, 0.35, 0.30]))
        text = screen.file.getvalue()
        assert "0.325" in text
        assert "can't be told" in text


class TestAudit:
    def results(self, tmp_path, at_end):
        prune = ended(Pruned, 2, 1, {"rmse": 0.9}, values=(0.9,), rule="halving")
        return open_results(
            write_sweep(
                tmp_path,
                *complete(0, {"k": 1}, 0.5),
                *complete(1, {"k": 2}, 0.3),
                asked(2, k=3),
                *trained(2, 1, {"rmse": 0.9}),
                prune,
                *repeats(3, 2, at_end, 102, source="audit"),
            )
        )

    def test_pruning_that_cost_nothing(self, tmp_path):
        found = audit(self.results(tmp_path, 0.4))
        (one,) = found.trials
        assert (one.pruned.number, one.at_rung, one.at_end, one.rank) == (2, 0.9, 0.4, 2)
        assert found.regret == 0.0
        assert found.verdict.startswith("Pruning cost nothing that the audit could find: 1 of 1")

    def test_pruning_that_lost_the_best_trial(self, tmp_path):
        found = audit(self.results(tmp_path, 0.1))
        assert found.regret == pytest.approx(0.2)
        assert found.trials[0].rank == 1
        assert found.verdict.startswith("Pruning cost 0.2 of rmse")

    def test_a_sweep_without_audits_has_none(self, tmp_path):
        assert audit(sweep_of(tmp_path, [], [])) is None

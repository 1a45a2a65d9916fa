import json
import re
from html.parser import HTMLParser

import pytest

from sweep.log.event import Event
from sweep.log.kinds import Continued, Failed, Pruned
from sweep.report import plots
from sweep.report.chart import Role, shade_color
from sweep.report.marks import MAX_DRAWN, thinned
from sweep.report.page import json_in_script
from sweep.results.results import open_results
from tests.sweep.events_factory import changed
from tests.sweep.sweep_factory import asked, complete, ended, trained, write_sweep

NAMES = ("history", "importance", "parallel", "slices", "learning_curves", "rungs")


def went_on(trial, epoch):
    return Event(Continued(), trial, 1, epoch)


@pytest.fixture
def results(tmp_path):
    """Trials: 0 (0.5), 1 (0.3), 4 (0.4) complete, 2 pruned at rung 1, 3 diverged, 5 running."""
    return open_results(
        write_sweep(
            tmp_path,
            *complete(0, {"cell": "gru", "learning_rate": 0.1}, 0.5)[:3],
            went_on(0, 1),
            *complete(0, {"cell": "gru", "learning_rate": 0.1}, 0.5)[3:],
            *complete(1, {"cell": "lstm", "learning_rate": 0.01}, 0.3)[:3],
            went_on(1, 1),
            *complete(1, {"cell": "lstm", "learning_rate": 0.01}, 0.3)[3:],
            asked(2, cell="gru", learning_rate=0.001),
            *trained(2, 1, {"rmse": 0.9, "loss": 0.81}),
            ended(Pruned, 2, 1, {"rmse": 0.9}, values=(0.9,), rule="halving"),
            asked(3, cell="gru", learning_rate=0.2),
            Event(Failed("diverged", "not finite"), 3, 1, 0),
            *complete(4, {"cell": "lstm", "learning_rate": 0.02}, 0.4),
            asked(5, cell="lstm", learning_rate=0.05),
            *trained(5, 1, {"rmse": 0.6, "loss": 0.36}),
        )
    )


def dots(panel):
    return {dot.trial: dot for dot in panel.dots}


class TestHistory:
    def test_every_trial_stands_at_its_number_in_the_role_of_its_state(self, results):
        (panel,) = plots.history(results).panels
        assert {n: d.role for n, d in dots(panel).items()} == {
            0: Role.COMPLETE,
            1: Role.COMPLETE,
            2: Role.PRUNED,
            3: Role.FAILED,
            4: Role.COMPLETE,
            5: Role.RUNNING,
        }
        assert [round(d.x, 9) for d in panel.dots] == [0, 0.2, 0.4, 0.6, 0.8, 1]
        assert dots(panel)[1].y < dots(panel)[4].y < dots(panel)[0].y < dots(panel)[2].y

    def test_the_best_so_far_falls_in_steps(self, results):
        (panel,) = plots.history(results).panels
        (line,) = panel.lines
        y0, y1 = dots(panel)[0].y, dots(panel)[1].y
        assert line.points == ((0.0, y0), (0.2, y0), (0.2, y1), (1.0, y1))

    def test_a_failed_trial_lies_at_the_bad_end(self, results):
        (panel,) = plots.history(results).panels
        assert dots(panel)[3].y == 1.0

    def test_a_replicate_is_no_part_of_the_search(self, tmp_path):
        asked, *rest = complete(1, {"k": 1}, 0.2)
        repeated = changed(asked, source="replicate")
        folder = write_sweep(tmp_path, *complete(0, {"k": 1}, 0.3), repeated, *rest)
        (panel,) = plots.history(open_results(folder)).panels
        assert set(dots(panel)) == {0}

    def test_two_objectives_have_a_panel_each_and_a_front(self, tmp_path):
        objectives = [
            {"metric": "rmse", "direction": "minimize"},
            {"metric": "parameters", "direction": "minimize"},
        ]
        folder = write_sweep(
            tmp_path,
            *complete(0, {"k": 1}, 0.5, parameters=10),
            *complete(1, {"k": 2}, 0.3, parameters=40),
            *complete(2, {"k": 3}, 0.6, parameters=50),
            objectives=objectives,
            search={"objectives": objectives},
        )
        panels = plots.history(open_results(folder)).panels
        assert [panel.y.label for panel in panels] == ["rmse", "parameters", "parameters"]
        (front,) = panels[2].lines
        assert front.points == tuple(sorted((d.x, d.y) for d in panels[2].dots if d.trial != 2))


class TestParameters:
    def test_importance_finds_the_parameter_that_decides(self, tmp_path):
        events = []
        for n in range(24):
            params = {"decides": n / 24, "idles": (n * 7 % 24) / 24}
            events += complete(n, params, 0.1 + n / 24)
        plot = plots.importance(open_results(write_sweep(tmp_path, *events)))
        (panel,) = plot.panels
        assert panel.y.ticks[0].text == "decides"
        assert panel.bars[0].x1 > 3 * max((bar.x1 for bar in panel.bars[1:]), default=0)

    def test_slices_have_one_panel_for_each_parameter_that_differs(self, results):
        panels = plots.slices(results).panels
        assert [panel.x.label for panel in panels] == ["cell", "learning_rate (log)"]
        assert set(dots(panels[1])) == {0, 1, 2, 4, 5}
        assert dots(panels[1])[2].x < dots(panels[1])[1].x < dots(panels[1])[0].x

    def test_parallel_lines_run_through_all_axes_the_best_one_last(self, results):
        (panel,) = plots.parallel(results).panels
        assert [pole.label for pole in panel.poles] == ["cell", "learning_rate (log)", "rmse"]
        assert panel.lines[-1].trial == 1
        assert {len(line.points) for line in panel.lines} == {3}
        assert {line.trial for line in panel.lines if line.faint} == {2, 5}
        shades = {line.trial: line.shade for line in panel.lines}
        assert shades[1] > shades[4] > shades[0] > shades[2]

    def test_a_trial_without_a_parameter_has_no_point_on_its_axis(self, tmp_path):
        folder = write_sweep(
            tmp_path, *complete(0, {"a": 1, "b": 1}, 0.5), *complete(1, {"a": 2}, 0.4)
        )
        (panel,) = plots.parallel(open_results(folder)).panels
        assert {line.trial: len(line.points) for line in panel.lines} == {0: 3, 1: 2}


class TestCurvesAndRungs:
    def test_curves_show_the_leading_metric_by_epoch(self, results):
        (panel,) = plots.learning_curves(results).panels
        lines = {line.trial: line for line in panel.lines}
        assert set(lines) == {0, 1, 2, 4, 5}
        assert [x for x, _ in lines[1].points] == [0.0, 1.0]
        assert {n for n, line in lines.items() if line.faint} == {2, 5}

    def test_rungs_count_who_went_on_and_who_did_not(self, results):
        counts, values = plots.rungs(results).panels
        went, stopped = counts.bars
        assert (went.y0, went.y1) == (0.0, 2 / 3)
        assert (stopped.y0, stopped.y1) == (2 / 3, 1.0)
        assert {n: d.role for n, d in dots(values).items()} == {
            0: Role.COMPLETE,
            1: Role.COMPLETE,
            2: Role.PRUNED,
        }


class TestDrawing:
    @pytest.mark.parametrize("name", NAMES)
    def test_an_empty_sweep_says_that_there_is_nothing(self, tmp_path, name):
        plot = getattr(plots, name)(open_results(write_sweep(tmp_path)))
        assert "Nothing to draw" in plot.note
        assert plot.png().startswith(b"\x89PNG")

    def test_every_plot_is_a_page_and_a_picture(self, results):
        for plot in plots.all_plots(results):
            assert plot.html.startswith("<!DOCTYPE html>")
            assert plot.png().startswith(b"\x89PNG")

    def test_a_page_needs_no_network(self, results):
        for plot in plots.all_plots(results):
            assert not re.search(
                r"""(src|href)=|url\(|@import|https?://(?!www\.w3\.org)""", plot.html
            )

    def test_every_mark_bears_its_trial_and_every_trial_its_facts(self, results):
        page = plots.history(results).html
        assert sorted(map(int, re.findall(r'data-t="(\d+)"', page))) == [0, 1, 2, 3, 4, 5]
        (facts,) = re.findall(r'id="trials">(.*?)</script>', page)
        trial = json.loads(facts)[1]
        assert (trial["number"], trial["state"]) == (1, "complete")
        assert ["rmse", "0.3"] in trial["rows"]
        assert ["cell", "lstm"] in trial["rows"]

    def test_what_a_user_wrote_stays_text(self, tmp_path):
        evil = "</script><img src=x onerror=alert(1)>"
        folder = write_sweep(
            tmp_path,
            *complete(0, {"a": evil, "<b>": 1, "$x_$": 1}, 0.5),
            *complete(1, {"a": "&amp;", "<b>": 2, "$x_$": 2}, 0.4),
        )
        results = open_results(folder)
        for plot in plots.all_plots(results):
            assert evil not in plot.html
            assert tags(plot.html) <= KNOWN_TAGS
            assert plot.png().startswith(b"\x89PNG")

    def test_json_in_a_script_can_not_end_it(self):
        text = json_in_script({"a": "</script><!--&\u2028"})
        assert not set("<>&\u2028") & set(text)
        assert json.loads(text) == {"a": "</script><!--&\u2028"}

    def test_shades_run_from_light_to_dark(self):
        assert shade_color(0.0) == "#a5db36"
        assert shade_color(1.0) == "#440154"
        assert shade_color(7.0) == shade_color(1.0)


def test_of_very_many_trials_the_best_are_drawn(tmp_path):
    events = [e for n in range(MAX_DRAWN + 100) for e in complete(n, {"k": n}, 1.0 + n % 997)]
    results = open_results(write_sweep(tmp_path, *events))
    shown = thinned(results, results.trials)
    assert len(shown) <= MAX_DRAWN
    assert {0, 997} <= {trial.number for trial in shown}
    assert f"of {MAX_DRAWN + 100:,} trials" in plots.history(results).note


class _Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.found = set()

    def handle_starttag(self, tag, attrs):
        self.found.add(tag)


KNOWN_TAGS = {
    "html", "head", "meta", "title", "style", "body", "main", "section", "h2", "figure", "div",
    "span", "i", "svg", "g", "path", "text", "circle", "polyline", "rect", "figcaption", "script",
}  # fmt: skip


def tags(page):
    parser = _Tags()
    parser.feed(page)
    return parser.found

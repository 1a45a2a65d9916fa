"""What each plot draws, read from its chart: the rows, the axes, the text for who can't see it."""

import json
import math
from html.parser import HTMLParser

import pytest

from sweep.log.event import Event
from sweep.log.kinds import Continued, Failed, Pruned
from sweep.report import plots
from sweep.report.chart import plot, rows_of
from sweep.report.drawn import MAX_DRAWN, thinned
from sweep.report.page import json_in_script, plot_page, trial_facts
from sweep.results.results import open_results
from tests.sweep.events_factory import changed
from tests.sweep.sweep_factory import asked, complete, ended, trained, write_sweep

NAMES = ("history", "importance", "parallel", "slices", "learning_curves", "rungs")


def went_on(trial, epoch):
    return Event(Continued(), trial, 1, epoch)


def mixed_events():
    """Trials: 0 (0.5), 1 (0.3), 4 (0.4) complete, 2 pruned at rung 1, 3 diverged, 5 running."""
    return [
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
    ]


@pytest.fixture
def results(tmp_path):
    return open_results(write_sweep(tmp_path, *mixed_events()))


def rows(plot, name):
    return plot.spec["datasets"][name]


def by_trial(plot, name, field):
    return {row["trial"]: row[field] for row in rows(plot, name)}


def encodings(spec):
    """Every layer's channels, of all panels."""
    parts = [
        part for key in ("concat", "hconcat", "vconcat", "layer") for part in spec.get(key, ())
    ]
    own = [spec["encoding"]] if "encoding" in spec else []
    return own + [found for part in parts for found in encodings(part)]


def titles(plot, channel):
    return [e[channel]["title"] for e in encodings(plot.spec) if "title" in e.get(channel, {})]


class TestHistory:
    def test_every_trial_stands_with_its_value_in_the_role_of_its_state(self, results):
        plot = plots.history(results)
        assert by_trial(plot, "trials_0", "role") == {
            0: "complete",
            1: "complete",
            2: "pruned or paused",
            3: "failed",
            4: "complete",
            5: "running",
        }
        values = by_trial(plot, "trials_0", "value")
        assert [values[n] for n in (0, 1, 2, 4, 5)] == [0.5, 0.3, 0.9, 0.4, 0.6]

    def test_the_best_so_far_falls_in_steps(self, results):
        steps = rows(plots.history(results), "best_0")
        assert [(step["number"], step["value"]) for step in steps] == [(0, 0.5), (1, 0.3), (5, 0.3)]

    def test_a_failed_trial_lies_at_the_bad_end(self, results):
        plot = plots.history(results)
        y = next(e["y"] for e in encodings(plot.spec) if e["y"]["field"] == "value")
        assert by_trial(plot, "trials_0", "value")[3] == max(y["scale"]["domain"])

    def test_axes_have_names_and_the_best_is_told_in_words(self, results):
        plot = plots.history(results)
        assert set(titles(plot, "x")) == {"trial"}
        assert set(titles(plot, "y")) == {"rmse"}
        assert plot.spec["description"].endswith("6 trials. Best rmse: 0.3, trial 1.")

    def test_a_replicate_is_no_part_of_the_search(self, tmp_path):
        asked, *rest = complete(1, {"k": 1}, 0.2)
        repeated = changed(asked, source="replicate")
        folder = write_sweep(tmp_path, *complete(0, {"k": 1}, 0.3), repeated, *rest)
        plot = plots.history(open_results(folder))
        assert set(by_trial(plot, "trials_0", "value")) == {0}

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
        plot = plots.history(open_results(folder))
        assert list(dict.fromkeys(titles(plot, "y"))) == ["rmse", "parameters"]
        assert titles(plot, "x")[-1] == "rmse"
        front = rows(plot, "front")
        assert front == [{"one": 0.5, "other": 10}, {"one": 0.3, "other": 40}]


class TestParameters:
    def test_importance_finds_the_parameter_that_decides(self, tmp_path):
        events = []
        for n in range(24):
            params = {"decides": n / 24, "idles": (n * 7 % 24) / 24}
            events += complete(n, params, 0.1 + n / 24)
        plot = plots.importance(open_results(write_sweep(tmp_path, *events)))
        first, *others = rows(plot, "shares")
        assert first["name"] == "decides"
        assert first["value"] > 3 * max((row["value"] for row in others), default=0)
        assert f"decides {first['text']}" in plot.spec["description"]

    def test_slices_have_one_panel_for_each_parameter_that_differs(self, results):
        plot = plots.slices(results)
        assert list(dict.fromkeys(titles(plot, "x"))) == ["cell", "learning_rate (log)"]
        assert by_trial(plot, "trials", "p0") == {
            0: "gru",
            1: "lstm",
            2: "gru",
            4: "lstm",
            5: "lstm",
        }
        assert by_trial(plot, "trials", "p1")[2] == 0.001

    def test_parallel_lines_run_through_all_axes_the_best_one_last(self, results):
        plot = plots.parallel(results)
        assert [row["name"] for row in rows(plot, "poles")] == [
            "cell", "learning_rate (log)", "rmse",
        ]  # fmt: skip
        assert rows(plot, "lines")[-1]["trial"] == 1
        assert {len(row["at"]) for row in rows(plot, "lines")} == {3}
        strong = by_trial(plot, "lines", "strong")
        assert {trial for trial, is_strong in strong.items() if not is_strong} == {2, 5}
        shades = by_trial(plot, "lines", "shade")
        assert shades[1] > shades[4] > shades[0] > shades[2]

    def test_a_trial_without_a_parameter_has_no_point_on_its_axis(self, tmp_path):
        folder = write_sweep(
            tmp_path, *complete(0, {"a": 1, "b": 1}, 0.5), *complete(1, {"a": 2}, 0.4)
        )
        plot = plots.parallel(open_results(folder))
        assert by_trial(plot, "lines", "axis") == {0: [0, 1, 2], 1: [0, 2]}


class TestCurvesAndRungs:
    def test_curves_show_the_leading_metric_by_epoch(self, results):
        plot = plots.learning_curves(results)
        assert set(by_trial(plot, "curves", "value")) == {0, 1, 2, 4, 5}
        assert by_trial(plot, "curves", "epoch")[1] == [1, 2]
        strong = by_trial(plot, "curves", "strong")
        assert {trial for trial, is_strong in strong.items() if not is_strong} == {2, 5}
        assert set(titles(plot, "x")) == {"epoch"}
        assert set(titles(plot, "y")) == {"validation rmse"}

    def test_rungs_count_who_went_on_and_who_did_not(self, results):
        plot = plots.rungs(results)
        assert [(row["rung"], row["trials"]) for row in rows(plot, "counts")] == [(1, 2), (1, 1)]
        assert by_trial(plot, "trials", "role") == {
            0: "went on",
            1: "went on",
            2: "stopped or paused",
        }
        assert by_trial(plot, "trials", "value") == {0: 0.5, 1: 0.3, 2: 0.9}


class TestDrawing:
    @pytest.mark.parametrize("name", NAMES)
    def test_an_empty_sweep_says_that_there_is_nothing(self, tmp_path, name):
        plot = getattr(plots, name)(open_results(write_sweep(tmp_path)))
        assert "Nothing to draw" in plot.note
        assert plot.spec == {}
        assert "Nothing to draw" in plot_page(plot, ())

    def test_every_plot_is_a_picture(self, results):
        for one in filter(lambda one: one.spec, plots.all_plots(results)):
            assert one.png().startswith(b"\x89PNG")

    def test_a_plots_page_holds_its_chart_and_what_tooltips_show(self, results):
        page = plot_page(plots.history(results), trial_facts(results))
        assert in_script(page, "charts") == {"history": plots.history(results).spec}
        trial = in_script(page, "trials")[1]
        assert (trial["number"], trial["state"]) == (1, "complete")
        assert ["rmse", "0.3"] in trial["rows"]
        assert ["cell", "lstm"] in trial["rows"]

    def test_names_that_look_like_markup_or_formulas_are_drawn_as_they_are(self, tmp_path):
        evil = "</script><img src=x onerror=alert(1)>"
        folder = write_sweep(
            tmp_path,
            *complete(0, {"a": evil, "<b>": 1, "$x_$": 1, "p.q[0]:N": 1}, 0.5),
            *complete(1, {"a": "&amp;", "<b>": 2, "$x_$": 2, "p.q[0]:N": 2}, 0.4),
        )
        results = open_results(folder)
        assert "p.q[0]:N" in titles(plots.slices(results), "x")
        for one in plots.all_plots(results):
            page = plot_page(one, trial_facts(results))
            assert evil not in page
            assert tags(page) <= KNOWN_TAGS
            if one.spec:
                assert one.png().startswith(b"\x89PNG")

    def test_what_is_no_number_is_left_out_of_a_chart(self):
        chart = rows_of("points").mark_point().encode(x="a:Q")
        found = plot("p", "P", chart, {"points": [{"a": math.inf, "b": 1}]}, summary="")
        assert rows(found, "points") == [{"a": None, "b": 1}]

    def test_json_in_a_script_can_not_end_it(self):
        text = json_in_script({"a": "</script><!--&\u2028"})
        assert not set("<>&\u2028") & set(text)
        assert json.loads(text) == {"a": "</script><!--&\u2028"}


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
        self.scripts = {}
        self._script = None

    def handle_starttag(self, tag, attrs):
        self.found.add(tag)
        self._script = dict(attrs).get("id") if tag == "script" else None

    def handle_data(self, data):
        if self._script:
            self.scripts[self._script] = self.scripts.get(self._script, "") + data


KNOWN_TAGS = {
    "html", "head", "meta", "title", "style", "body", "main", "section", "h2", "figure", "div",
    "noscript", "figcaption", "script",
}  # fmt: skip


def parsed(page):
    parser = _Tags()
    parser.feed(page)
    return parser


def tags(page):
    return parsed(page).found


def in_script(page, name):
    """The JSON that stands in the page under that id."""
    return json.loads(parsed(page).scripts[name])

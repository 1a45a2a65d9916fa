"""The report page in a headless Chromium: what a person sees, points at, drags and hears read."""

from __future__ import annotations

import shutil

import pytest

from sweep.log.event import Event
from sweep.log.kinds import Failed
from sweep.report.document import render_report
from sweep.results.results import open_results
from tests.sweep.report.test_plots import mixed_events
from tests.sweep.sweep_factory import asked, complete, write_sweep

pytestmark = pytest.mark.integration

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
TALL = {"width": 1300, "height": 4500}
PINK = "#d6006c"
LINKED = ("history", "parallel", "slices", "learning_curves", "rungs")
# Every mark of a trial as Vega draws it: its points on the page, its colours and opacity.
MARKS = """(name) => {
  const host = document.querySelector(`[data-chart=${name}]`);
  const box = host.querySelector("canvas").getBoundingClientRect();
  const [found, view] = [[], host.view];
  const walk = (mark, dx, dy) => {
    for (const item of mark.items) {
      if (mark.marktype === "group") {
        item.items.forEach((inner) => walk(inner, dx + (item.x || 0), dy + (item.y || 0)));
      } else if (item.datum && item.datum.trial !== undefined) {
        found.push({
          trial: item.datum.trial, x: item.x + dx, y: item.y + dy,
          colors: [item.stroke, item.fill], opacity: item.strokeOpacity ?? 1 });
      }
    }
  };
  const [[x, y], { left, top }] = [view.origin(), view.padding()];
  walk(view.scenegraph().root, box.left + x + left, box.top + y + top);
  return found;
}"""


@pytest.fixture(scope="module")
def browser():
    sync_api = pytest.importorskip(
        "playwright.sync_api", reason="the browser's driver is absent: pip install playwright"
    )
    if CHROMIUM is None:
        pytest.skip("no Chromium is found; on Debian and Ubuntu: apt install chromium")
    with sync_api.sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM)
        yield found
        found.close()


@pytest.fixture(scope="module")
def open_page(browser, tmp_path_factory):
    """Open a sweep's report, offline, in a window that shows all of it; hold what went wrong."""

    def opened(events, **options):
        folder = write_sweep(tmp_path_factory.mktemp("sweep"), *events)
        path = folder / "report.html"
        path.write_text(render_report(open_results(folder)), encoding="utf-8")
        page = browser.new_context(viewport=TALL, offline=True, **options).new_page()
        page.wrongs, page.requests = [], []
        page.on("console", lambda message: page.wrongs.append(message.text))
        page.on("pageerror", lambda error: page.wrongs.append(str(error)))
        page.on("dialog", lambda dialog: page.wrongs.append(dialog.message))
        page.on("request", lambda request: page.requests.append(request.url))
        page.goto(path.as_uri())
        if options.get("java_script_enabled", True):
            page.wait_for_selector("body[data-drawn=all]", timeout=120_000)
        return page

    return opened


@pytest.fixture(scope="module")
def shared_page(open_page):
    return open_page(mixed_events())


@pytest.fixture
def page(shared_page):
    """The report of `mixed_events`, as it was opened: nothing lit, dragged or focused."""
    yield shared_page
    shared_page.set_viewport_size(TALL)
    shared_page.keyboard.press("Escape")
    shared_page.mouse.move(2, 2)
    shared_page.evaluate("document.activeElement.blur()")
    two_frames(shared_page)


def marks(page, name):
    return page.evaluate(MARKS, name)


def lit(page, name):
    return {mark["trial"] for mark in marks(page, name) if PINK in mark["colors"]}


def dimmed(page, name):
    return {mark["trial"] for mark in marks(page, name) if mark["opacity"] < 0.1}


def point_at(page, name, trial):
    mark = next(mark for mark in marks(page, name) if mark["trial"] == trial)
    page.mouse.move(mark["x"], mark["y"])
    two_frames(page)


def two_frames(page):
    page.evaluate("new Promise(r => requestAnimationFrame(() => requestAnimationFrame(r)))")


def drag_along_the_values(page, low, high):
    """Drag along the last axis of the parallel coordinates, between two trials' points."""
    by_trial = {mark["trial"]: mark for mark in marks(page, "parallel")}  # the last point each
    top, bottom = by_trial[high]["y"], by_trial[low]["y"]
    page.mouse.move(by_trial[low]["x"], bottom + 4)
    page.mouse.down()
    page.mouse.move(by_trial[low]["x"], top - 4, steps=3)
    page.mouse.up()
    two_frames(page)


def said(page):
    return page.locator("[role=status]").inner_text()


class TestOpening:
    def test_nothing_is_fetched_and_nothing_complains(self, page):
        assert page.requests == [page.url]
        assert page.wrongs == []

    def test_every_chart_is_drawn_and_has_a_text_for_those_who_can_not_see_it(self, page):
        charts = page.locator("[data-chart]")
        assert charts.count() == page.locator("[data-chart] canvas").count() >= len(LINKED)
        texts = {c.get_attribute("data-chart"): c.get_attribute("aria-label") for c in charts.all()}
        assert "Best rmse: 0.3, trial 1." in texts["history"]
        assert "2 of 3 at epoch 1" in texts["rungs"]

    def test_without_scripts_the_tables_stand_and_the_charts_say_what_is_missing(self, open_page):
        page = open_page(mixed_events(), java_script_enabled=False)
        assert page.locator("#top tbody tr").count() == 3
        assert "drawn by the script" in page.locator("#history noscript").inner_text()

    def test_in_a_narrow_window_a_chart_scrolls_and_can_be_pointed_at(self, page):
        page.set_viewport_size({"width": 500, "height": 4500})
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        page.evaluate("document.querySelector('[data-chart=history]').scrollLeft = 300")
        point_at(page, "history", 2)
        assert lit(page, "history") == {2}


class TestPointing:
    def test_the_trial_under_the_pointer_stands_out_in_every_chart_and_table(self, page):
        point_at(page, "history", 1)
        assert {name: lit(page, name) for name in LINKED} == {name: {1} for name in LINKED}
        assert page.locator("tr.hot").get_attribute("data-t") == "1"
        tip = page.locator("#tip")
        assert tip.is_visible()
        assert tip.locator("b").inner_text() == "trial 1, complete"
        assert "lstm" in tip.inner_text()

    @pytest.mark.parametrize("name", LINKED)
    def test_every_chart_can_be_pointed_at(self, page, name):
        point_at(page, name, 1)
        assert lit(page, "history") == {1}

    def test_it_goes_dark_when_the_pointer_leaves(self, page):
        point_at(page, "history", 1)
        page.mouse.move(5, 5)
        assert lit(page, "parallel") == set()
        assert not page.locator("#tip").is_visible()

    def test_a_row_of_the_table_lights_its_trial(self, page):
        page.locator('tr[data-t="4"]').hover()
        assert lit(page, "parallel") == {4}


class TestBrushing:
    def test_a_range_keeps_only_the_lines_that_cross_it(self, page):
        drag_along_the_values(page, 1, 4)
        drawn = {name: {mark["trial"] for mark in marks(page, name)} for name in LINKED}
        assert {name: dimmed(page, name) for name in LINKED} == {
            name: trials & {0, 2, 5} for name, trials in drawn.items()
        }
        assert page.locator("tr.off").get_attribute("data-t") == "0"
        assert said(page) == "2 of 5 trials kept by ranges of rmse"

    def test_a_trial_left_out_can_not_be_pointed_at(self, page):
        drag_along_the_values(page, 1, 4)
        point_at(page, "history", 0)
        assert lit(page, "history") == set()

    def test_a_click_on_the_axis_lets_go(self, page):
        drag_along_the_values(page, 1, 4)
        end = [mark for mark in marks(page, "parallel") if mark["trial"] == 0][-1]
        page.mouse.click(end["x"], end["y"])
        assert dimmed(page, "parallel") == set()
        assert said(page) == "all trials shown"

    def test_escape_lets_go_of_every_range(self, page):
        drag_along_the_values(page, 1, 4)
        page.keyboard.press("Escape")
        assert dimmed(page, "history") == dimmed(page, "parallel") == set()
        assert page.locator("tr.off").count() == 0


class TestKeys:
    def test_arrows_step_through_a_charts_trials_and_are_read_aloud(self, page):
        chart = page.locator("[data-chart=learning_curves]")
        chart.focus()
        heard = []
        for key in ("ArrowRight", "ArrowRight", "End", "ArrowRight", "ArrowLeft", "Home"):
            page.keyboard.press(key)
            heard.append(said(page).partition(",")[0])
        assert heard == ["trial 0", "trial 1", "trial 5", "trial 0", "trial 5", "trial 0"]
        assert lit(page, "history") == lit(page, "parallel") == {0}
        assert said(page).startswith("trial 0, complete: rmse 0.5, ")
        assert page.locator("#tip").is_visible()

    def test_tab_reaches_the_table_and_every_chart(self, page):
        reached = []
        for _ in range(60):
            page.keyboard.press("Tab")
            reached.append(
                page.evaluate("(({tagName, dataset: d}) => d.chart ?? (d.t && `trial ${d.t}`) ?? "
                              "tagName)(document.activeElement)")
            )  # fmt: skip
        assert reached.index("trial 1") < reached.index("history")
        assert "trial 4" not in reached  # the arrows lead there
        assert set(LINKED) <= set(reached)

    def test_arrows_walk_the_rows_and_enter_pins(self, page):
        page.locator('tr[data-t="1"]').focus()
        page.keyboard.press("ArrowDown")
        assert lit(page, "history") == {4}
        page.keyboard.press("Enter")
        assert "trial 4, complete, pinned" in said(page)
        point_at(page, "history", 0)
        page.keyboard.press("Tab")
        assert lit(page, "history") == {4}
        page.keyboard.press("Escape")
        assert lit(page, "history") == set()

    def test_a_heading_sorts_by_key_and_says_so(self, open_page):
        page = open_page(mixed_events())
        heading = page.locator("#top th", has_text="rmse").first
        heading.locator("button").focus()
        page.keyboard.press("Enter")
        page.keyboard.press("Enter")
        assert heading.get_attribute("aria-sort") == "descending"
        rows = page.locator("#top tbody tr").all()
        assert [row.get_attribute("data-t") for row in rows] == ["0", "4", "1"]


def test_what_a_user_wrote_stays_text(open_page):
    evil = "</script><script>alert(1)</script><img src=x onerror=alert(2)>"
    failed = Event(Failed("error", evil), 2, 1, 0)
    events = [
        *complete(0, {"a": evil, "<b>": 1, "x.y[0]:Q": 1}, 0.5),
        *complete(1, {"a": "&amp;", "<b>": 2, "x.y[0]:Q": 3}, 0.4),
        asked(2, **{"a": evil, "<b>": 1, "x.y[0]:Q": 1}),
        failed,
    ]
    page = open_page(events)
    point_at(page, "history", 0)
    assert evil in page.locator("#tip").inner_text()
    assert page.locator("img").count() == 0
    assert page.wrongs == []
    assert page.requests == [page.url]

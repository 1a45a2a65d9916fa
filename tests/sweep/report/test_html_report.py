import re

import pytest

from sweep.report.document import render_report
from sweep.results.results import open_results
from tests.sweep.report.test_plots import KNOWN_TAGS, in_script, tags
from tests.sweep.results.test_replicates import on_test, repeats
from tests.sweep.sweep_factory import closed, complete, write_sweep

PARTS = KNOWN_TAGS | {
    "header", "nav", "a", "button", "span", "h1", "p", "b", "table", "thead", "tbody", "tr", "th",
    "td",
}  # fmt: skip
EVIL = "</script><img src=x onerror=alert(1)>"


@pytest.fixture
def folder(tmp_path):
    """Two finalists with two replicates each."""
    return write_sweep(
        tmp_path,
        *complete(0, {"cell": "gru", "rate": 0.1, "layers": 2}, 0.3), on_test(0, 0.33),
        *complete(1, {"cell": "lstm", "rate": 0.2, "layers": 2}, 0.4), on_test(1, 0.44),
        *repeats(2, 0, 0.31, 1, test=0.34), *repeats(3, 0, 0.32, 2, test=0.35),
        *repeats(4, 1, 0.41, 1, test=0.45), *repeats(5, 1, 0.42, 2, test=0.46),
        closed(),
    )  # fmt: skip


def sections(page):
    return dict(re.findall(r'<section id="(\w+)">(.*?)</section>', page, re.DOTALL))


def test_the_page_holds_every_part_and_links_to_each(folder):
    page = render_report(open_results(folder))
    assert list(sections(page)) == [
        "top", "finalists", "history", "importance", "parallel", "slices", "learning_curves",
        "rungs", "diagnosis", "ledger",
    ]  # fmt: skip
    assert re.findall(r'<a href="#(\w+)">', page) == list(sections(page))
    assert tags(page) <= PARTS


def test_the_page_loads_nothing_from_elsewhere(folder):
    page = render_report(open_results(folder))
    markup = re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)
    assert re.findall(r"""(?:src|href)=["']?[^"'#]\S*|url\(|@import|https?:""", markup) == []
    assert not re.search(r"<script[^>]*src", page)


def test_the_head_says_what_was_swept_and_what_is_best(folder):
    page = render_report(open_results(folder))
    assert "<title>demo: sweep report</title>" in page
    assert "<b>0.3</b><span>best rmse</span>" in page
    assert "<b>0.33</b><span>test rmse</span>" in page
    assert "Best: trial 0, cell=gru rate=0.1 layers=2" in page
    assert "2 complete (finished)" in page


def test_the_table_shows_differing_parameters_best_first(folder):
    top = sections(render_report(open_results(folder)))["top"]
    heads = re.findall(r"<th[^>]*><button>([^<]*)<", top)
    assert heads[:3] == ["trial", "rmse", "test rmse"]
    assert heads[-3:] == ["cell", "rate", "validation loss"]
    assert re.findall(r'<tr data-t="(\d+)">', top) == ["0", "1"]
    assert "layers=2" in top.partition("The same in all trials:")[2]


def test_replicates_and_their_verdict(folder):
    part = sections(render_report(open_results(folder)))["finalists"]
    # Both differences are -0.11: the t test knows no spread, two sign flips of four are as far.
    assert "can&#x27;t be told from the second: test rmse of trial 0 minus" in part
    assert "is -0.11 on 2 shared seeds" in part
    assert "0.33, 0.34, 0.35" in part


def test_the_trials_stand_in_the_page_as_data(folder):
    trials = in_script(render_report(open_results(folder)), "trials")
    assert [trial["number"] for trial in trials] == [0, 1, 2, 3, 4, 5]
    assert ["test rmse", "0.33"] in trials[0]["rows"]


def test_a_sweep_without_trials_has_a_report(tmp_path):
    page = render_report(open_results(write_sweep(tmp_path)))
    assert "No trial is complete." in page
    assert "finalists" not in sections(page)


def test_the_pareto_front_is_marked(tmp_path):
    objectives = [
        {"metric": "rmse", "direction": "minimize"},
        {"metric": "parameters", "direction": "minimize"},
    ]
    folder = write_sweep(
        tmp_path,
        *complete(0, {"k": 1}, 0.5, parameters=1000),
        *complete(1, {"k": 2}, 0.3, parameters=4000),
        *complete(2, {"k": 3}, 0.6, parameters=5000),
        objectives=objectives,
        search={"objectives": objectives},
    )
    top = sections(render_report(open_results(folder)))["top"]
    rows = re.findall(r"<tr data-t.*?</tr>", top)
    cells = [re.findall(r"<td[^>]*>([^<]*)</td>", row)[:4] for row in rows]
    assert cells == [
        ["1", "0.3", "4,000", "yes"],
        ["0", "0.5", "1,000", "yes"],
        ["2", "0.6", "5,000", ""],
    ]


def test_what_a_user_wrote_can_not_break_out(tmp_path):
    folder = write_sweep(
        tmp_path,
        *complete(0, {"cell": EVIL, "<b>": 1}, 0.3),
        *complete(1, {"cell": "'\"&", "<b>": 2}, 0.4),
        train={"max_epochs": 3},
        data={"source": "my.py:load", "note": EVIL},
    )
    page = render_report(open_results(folder))
    assert EVIL not in page
    assert tags(page) <= PARTS
    assert page.count("</script>") == 4


def test_an_audit_has_a_part_of_its_own(tmp_path):
    from tests.sweep.results.test_replicates import TestAudit

    page = render_report(TestAudit().results(tmp_path, 0.1))
    assert "Pruning cost 0.2 of rmse" in sections(page)["audit"]


def test_a_password_stays_out_of_the_page(tmp_path):
    folder = write_sweep(
        tmp_path,
        *complete(0, {"k": 1}, 0.3),
        data={"source": "my.py:load", "url": "postgresql://me:hunter2@host/db", "api_key": "xyzzy"},
    )
    page = render_report(open_results(folder))
    assert "postgresql://***@host/db" in page
    assert "hunter2" not in page
    assert "xyzzy" not in page

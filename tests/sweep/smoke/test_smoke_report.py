"""A smoke's JUnit XML, page and lines: read back by strict readers, whatever the texts hold."""

from __future__ import annotations

import xml.etree.ElementTree as xml
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from junitparser import JUnitXml

from sweep.smoke.checks import Check
from sweep.smoke.gate import Unknown, parse_gate, result_of
from sweep.smoke.report import junit, lines, summary
from sweep.smoke.smoke import SmokeReport
from sweep.words.messages import DONE, FAILURE, INTERRUPTED, SMOKE_FAILED, USER_MISTAKE

README = Path(__file__).resolve().parents[3] / "sweep" / "cli" / "README.md"
NONE_YET = Unknown("'load' has no champion yet", passes=True)
VALUES = {"best/val_rmse": 0.5, "champion/val_rmse": 0.4, "seconds": 20.0}


def result(text, **changes):
    return result_of(parse_gate(text), VALUES | changes)


def report(*checks, gates=(), name="load-smoke"):
    return SmokeReport(name, Path("f"), checks, gates, "4 trials", "trial 1, rmse 0.5", 31.25)


MIXED = report(
    Check("it ends", "passed", "after 20 s", 0.5),
    Check("the loss falls", "failed", "trial 3: 1 in epoch 1, 2 at epoch 6", 0.25),
    Check("two epochs", "skipped", "one only"),
    gates=(
        result("best/val_rmse > 0.9 * champion"),
        result("best/val_rmse > 2 * champion"),
        result("best/val_rmse > champion", **{"champion/val_rmse": NONE_YET}),
        result("seconds / 0 > 1"),
    ),
)


def parsed(found):
    return JUnitXml.fromstring(junit(found, now=0))


def test_junit_has_one_suite_with_a_case_for_every_check_and_gate():
    root = parsed(MIXED)
    (suite,) = root
    assert (root.tests, root.failures, root.errors, root.time) == (7, 3, 0, 31.25)
    assert (suite.name, suite.tests, suite.failures, suite.skipped) == ("load-smoke", 7, 3, 2)
    assert suite.timestamp == "1970-01-01T00:00:00"
    failed = {case.name: case.result[0].message for case in suite if case.is_failure}
    assert failed == {
        "the loss falls": "trial 3: 1 in epoch 1, 2 at epoch 6",
        "fails if best/val_rmse > 0.9 * champion": "0.5 > 0.36",
        "fails if seconds / 0 > 1": "it can't be judged: 20 / 0 is no number",
    }
    assert [case.name for case in suite if case.is_skipped] == [
        "two epochs",
        "fails if best/val_rmse > champion",
    ]
    assert {case.classname for case in suite} == {"rnn-sweep smoke.load-smoke"}
    assert [case.time for case in suite][:2] == [0.5, 0.25]


# What the schema of Jenkins' xunit plugin (junit-10.xsd) lets stand where.
ATTRIBUTES = {
    "testsuites": {"name", "time", "tests", "failures", "errors"},
    "testsuite": {"name", "time", "tests", "failures", "errors", "skipped", "timestamp"},
    "testcase": {"name", "time", "classname", "group"},
    "failure": {"type", "message"},
    "skipped": {"type", "message"},
    "system-out": set(),
}
CHILDREN = {
    "testsuites": {"testsuite"},
    "testsuite": {"testcase"},
    "testcase": {"failure", "skipped", "system-out"},
}


def test_junit_holds_nothing_that_its_schema_does_not_know():
    root = xml.fromstring(junit(MIXED))
    assert root.tag == "testsuites"
    for element in root.iter():
        assert set(element.attrib) <= ATTRIBUTES[element.tag], element.tag
        assert {child.tag for child in element} <= CHILDREN.get(element.tag, set())


@given(st.text(max_size=40), st.text(max_size=40))
def test_any_text_can_stand_in_junit_and_in_the_page(name, message):
    found = report(Check(name, "failed", message), name=name)
    (suite,) = parsed(found)
    (case,) = suite
    assert case.is_failure
    rows = [row for row in summary(found).split("\n") if row.startswith("|")]
    assert len(rows) == 3  # nothing leaves its cell
    assert all(row.replace("\\|", "").count("|") == 5 for row in rows)


def test_the_page_shows_checks_and_both_sides_of_every_gate():
    page = summary(MIXED)
    assert page.startswith("### Smoke of `load-smoke`: ❌ failed")
    assert "| the loss falls | ❌ | trial 3: 1 in epoch 1, 2 at epoch 6 | 0.2 s |" in page
    assert "| `best/val_rmse > 0.9 * champion` | ❌ fires | 0.5 > 0.36 |" in page
    assert "| `best/val_rmse > 2 * champion` | ✅ passes | 0.5 > 0.8 |" in page
    assert "| ➖ no champion | 'load' has no champion yet |" in page
    assert "4 trials, 31 s. Best: trial 1, rmse 0.5." in page


def test_the_terminal_shows_a_line_a_case_and_the_whole():
    shown = list(lines(MIXED))
    assert shown[1] == "  FAILED  the loss falls: trial 3: 1 in epoch 1, 2 at epoch 6"
    assert shown[3] == "  FAILED  fails if best/val_rmse > 0.9 * champion: 0.5 > 0.36"
    assert shown[-1] == "load-smoke: FAILED, 3 of 7, 31 s; best: trial 1, rmse 0.5"
    fine = report(Check("it ends", "passed", "yes"))
    assert list(lines(fine))[-1].startswith("load-smoke: ok, 1 cases, 31 s")
    assert MIXED.failed
    assert not fine.failed


def test_a_gate_without_a_champion_fails_nothing():
    calm = result("best/val_rmse > champion", **{"champion/val_rmse": NONE_YET})
    assert not report(gates=(calm,)).failed


def test_the_readme_has_every_exit_code():
    rows = [line.split("|")[1].strip() for line in README.read_text().splitlines() if "|" in line]
    codes = [int(cell) for cell in rows if cell.isdecimal()]
    assert codes == [DONE, FAILURE, USER_MISTAKE, SMOKE_FAILED, INTERRUPTED]

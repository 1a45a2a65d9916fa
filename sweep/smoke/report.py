"""What a smoke found, for a terminal, for CI (JUnit XML) and for a page (Markdown). Pure."""

from __future__ import annotations

import re
import time
import xml.etree.ElementTree as xml
from collections.abc import Iterator

from sweep.smoke.checks import Check
from sweep.smoke.gate import GateResult
from sweep.smoke.smoke import SmokeReport

_SUITE = "rnn-sweep smoke"
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_SIGNS = {"passed": "ok", "failed": "FAILED", "skipped": "skipped"}
_ICONS = {"passed": "✅", "failed": "❌", "skipped": "➖"}


def cases(report: SmokeReport) -> tuple[Check, ...]:
    """Return every check, and every gate as one."""
    return (*report.checks, *(_as_check(gate) for gate in report.gates))


def lines(report: SmokeReport) -> Iterator[str]:
    """Yield what the terminal shows: a line a case, then the whole."""
    found = cases(report)
    for case in found:
        yield f"  {_SIGNS[case.outcome]:<8}{case.name}: {case.message}"
    bad = sum(case.failed for case in found)
    ending = f"FAILED, {bad} of {len(found)}" if bad else f"ok, {len(found)} cases"
    yield f"{report.name}: {ending}, {report.seconds:.0f} s; best: {report.best}"


def junit(report: SmokeReport, now: float | None = None) -> bytes:
    """Return JUnit's XML: one suite, one test case a check, one a gate.

    Args:
        report: What was found.
        now: Unix time of the suite; None for the present.
    """
    found = cases(report)
    counts = {
        "tests": str(len(found)),
        "failures": str(sum(case.failed for case in found)),
        "errors": "0",
        "time": f"{report.seconds:.3f}",
    }
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now))
    root = xml.Element("testsuites", {"name": _SUITE, **counts})
    skipped = str(sum(case.outcome == "skipped" for case in found))
    about = {"name": _clean(report.name), **counts, "skipped": skipped, "timestamp": stamp}
    suite = xml.SubElement(root, "testsuite", about)
    for case in found:
        names = {"classname": f"{_SUITE}.{_clean(report.name)}", "name": _clean(case.name)}
        element = xml.SubElement(suite, "testcase", {**names, "time": f"{case.seconds:.3f}"})
        message = _clean(case.message)
        if case.failed:
            failure = xml.SubElement(element, "failure", {"message": message, "type": "smoke"})
            failure.text = message
        elif case.outcome == "skipped":
            xml.SubElement(element, "skipped", {"message": message})
        else:
            xml.SubElement(element, "system-out").text = message
    xml.indent(root)
    text: bytes = xml.tostring(root, encoding="utf-8", xml_declaration=True)
    return text + b"\n"


def summary(report: SmokeReport) -> str:
    """Return a page in GitHub's Markdown: checks, gates with both sides' values, best, time."""
    sign = "❌ failed" if report.failed else "✅ passed"
    rows = [
        f"### Smoke of `{_cell(report.name)}`: {sign}",
        "",
        f"{report.size}, {report.seconds:.0f} s. Best: {_cell(report.best)}.",
        "",
        "| check | | found | time |",
        "|---|---|---|---|",
        *(_row(check) for check in report.checks),
    ]
    if report.gates:
        rows += ["", "| gate: fails if | | values |", "|---|---|---|"]
        for result in report.gates:
            case = _as_check(result)
            icon = f"{_ICONS[case.outcome]} {result.outcome}"
            rows.append(f"| `{result.gate.text}` | {icon} | {_cell(result.sides)} |")
    return "\n".join([*rows, ""])


def _row(check: Check) -> str:
    icon, found = _ICONS[check.outcome], _cell(check.message)
    return f"| {_cell(check.name)} | {icon} | {found} | {check.seconds:.1f} s |"


def _as_check(result: GateResult) -> Check:
    outcome, says = result.outcome, result.sides
    name = f"fails if {result.gate.text}"
    if outcome == "no champion":
        return Check(name, "skipped", f"{says}, so there is nothing to hold against it")
    if outcome == "unknown":
        return Check(name, "failed", f"it can't be judged: {says}")
    return Check(name, "failed" if result.failed else "passed", says)


def _clean(text: str) -> str:
    """Leave out what XML 1.0 can't hold."""
    return _NO_XML.sub("�", text)


def _cell(text: str) -> str:
    """Return text that can't leave its cell."""
    plain = " ".join(text.split())
    return plain.replace("|", "\\|").replace("<", "&lt;").replace("`", "'")

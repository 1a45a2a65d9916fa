"""The sink's lines, and who shows them."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from sweep.cli.live import PlainLines, live_table
from sweep.log.notices import NOTICES_FILE, last_notice, notices_size
from sweep.running.progress import Progress

AWAY = "MLflow at http://there takes no writes ([Errno 111] refused); training goes on."


def say(folder: Path, *lines: str) -> None:
    with (folder / NOTICES_FILE).open("a") as file:
        file.writelines(f"{line}\n" for line in lines)


def test_no_sink_has_said_anything(tmp_path: Path):
    assert last_notice(tmp_path) == ""
    assert notices_size(tmp_path) == 0


def test_the_last_line_counts_until_the_tracker_is_back(tmp_path: Path):
    say(tmp_path, f"12:00:01 tracking: {AWAY}", "a warning of some library")
    assert last_notice(tmp_path) == AWAY
    say(tmp_path, "12:00:09 tracking: MLflow answers again; writing what waited in the log.")
    assert last_notice(tmp_path) == ""


def test_what_an_earlier_sink_said_is_over(tmp_path: Path):
    say(tmp_path, f"12:00:01 tracking: {AWAY}")
    size = notices_size(tmp_path)
    assert last_notice(tmp_path, after=size) == ""
    say(tmp_path, "12:00:02 tracking: the disk is full")
    assert last_notice(tmp_path, after=size) == "the disk is full"


def test_the_live_table_shows_backlog_and_reason():
    progress = Progress(counts={"running": 1}, budget_trials=4, backlog=12, trouble=AWAY)
    console = Console(width=120, record=True)
    console.print(live_table(progress))
    shown = console.export_text()
    assert "12 events behind" in shown
    assert "([Errno 111] refused)" in shown
    console.print(live_table(Progress(counts={"running": 1}, budget_trials=4)))
    assert "tracker" not in console.export_text()


def test_plain_lines_say_a_reason_once():
    lines: list[str] = []
    plain = PlainLines(lines.append, clock=lambda: 0.0)
    for trouble in (AWAY, AWAY, "", AWAY):
        plain(Progress(counts={}, budget_trials=4, trouble=trouble))
    assert len(lines) == 2
    assert "takes no writes" in lines[0]

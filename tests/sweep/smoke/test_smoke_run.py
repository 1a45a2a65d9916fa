"""How a smoke kills and resumes: sweeps that end too soon, fail, or are over already."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from sweep.__main__ import main
from sweep.config.sweep_config import validate
from sweep.errors import UserError
from sweep.log.event import Event
from sweep.log.kinds import Opened, Reported
from sweep.smoke import run as smoke_run
from sweep.smoke.processes import Family
from tests.sweep.events_factory import some

CONFIG = validate({"name": "s", "data": {"source": "digits"}, "budget": {"trials": 4}})
LOG = (Event(some(Opened), seq=1), Event(some(Reported), 0, 1, 1, seq=2))
KILLED = -signal.SIGKILL


class Process:
    def __init__(self, returncode: int) -> None:
        self.returncode = returncode


class Scripted:
    """Sessions that go as written: (exit code, log at the kill)."""

    def __init__(self, *sessions: tuple[int, tuple[Event, ...]], said: str = "") -> None:
        self.sessions, self.trials = list(sessions), []
        self.folder, self.family, self._said = Path("f"), self, said

    def start(self, trials: int) -> Process:
        self.trials.append(trials)
        self.session = self.sessions.pop(0) if self.sessions else (0, ())
        return Process(self.session[0])

    def kill_in_mid_sweep(self, process: Process, *, single: bool) -> tuple[Event, ...]:
        assert not single
        return self.session[1]

    def wait(self, process: Process) -> int:
        return process.returncode

    def said(self) -> str:
        return self._said

    def wait_until_gone(self, patience_seconds: float) -> list[str]:
        return []


def run(runs: Scripted, possible: int | None = None) -> smoke_run.Ran:
    return smoke_run._run(CONFIG, runs, possible, lambda line: None)


def test_a_killed_sweep_is_given_the_same_command_again():
    runs = Scripted((KILLED, LOG))
    ran = run(runs)
    assert runs.trials == [4, 4]
    assert (ran.code, ran.trials, ran.before) == (0, 4, LOG)


def test_a_sweep_that_ends_too_soon_gets_more_trials():
    runs = Scripted((0, ()), (KILLED, LOG))
    assert run(runs).trials == 8
    assert runs.trials == [4, 8, 8]


def test_a_sweep_that_was_closed_as_it_was_killed_counts_as_ended_and_is_still_resumed():
    runs = Scripted((KILLED, ()), (KILLED, ()), (KILLED, ()))
    ran = run(runs)
    assert runs.trials == [4, 8, 12, 12]
    assert (ran.code, ran.trials, ran.before) == (0, 12, ())


def test_a_sweep_that_always_ends_too_soon_is_given_up():
    runs = Scripted()
    ran = run(runs)
    assert runs.trials == [4, 8, 12]
    assert (ran.trials, ran.before) == (12, ())


@pytest.mark.parametrize(("possible", "asked"), [(4, [4]), (6, [4, 6])])
def test_a_search_gets_no_more_trials_than_it_can_be_asked_for(possible, asked):
    runs = Scripted((0, ()), (0, ()))
    assert run(runs, possible).before == ()
    assert runs.trials == asked


def test_a_sweep_that_fails_is_told_with_its_code_and_its_last_line():
    ran = run(Scripted((1, ()), said="error: no room"))
    assert (ran.code, ran.said) == (1, "error: no room")


def test_a_users_mistake_stays_one():
    with pytest.raises(UserError, match=r"^data must be there$"):
        run(Scripted((2, ()), said="error: data must be there"))


@pytest.mark.integration
def test_a_family_knows_its_living_members_and_ends_them(tmp_path):
    family = Family()
    process = family.start(["--version"], tmp_path / "out.txt", {})
    assert process.pid in family.members()
    family.end()
    assert family.members() == {}
    assert process.wait() == KILLED


@pytest.mark.integration
def test_a_family_knows_members_that_have_lost_their_environment(tmp_path):
    (tmp_path / "sitecustomize.py").write_text(
        "import subprocess; subprocess.Popen(['/bin/sleep', '60'], env={})"
    )
    family = Family()
    process = family.start(["--version"], tmp_path / "out.txt", {"PYTHONPATH": str(tmp_path)})
    while "/bin/sleep 60" not in family.members().values():
        assert process.poll() is None
    process.wait()
    assert list(family.members().values()) == ["/bin/sleep 60"]
    family.end()
    assert family.members() == {}


@pytest.mark.parametrize("option", ["--junit", "--summary"])
def test_a_page_that_can_not_be_written_is_refused_before_anything_is_run(tmp_path, capsys, option):
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    for path in (tmp_path / "folder", tmp_path / "file" / "x.xml"):
        assert main(["smoke", "smoke", option, str(path), "--dir", str(tmp_path / "s")]) == 2
        assert f"{path} must be a file that can be written" in capsys.readouterr().err
    assert not (tmp_path / "s").exists()

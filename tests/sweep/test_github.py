"""This project's workflow and the action for users: GitHub's schemas, and what they run."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
ACTION = ROOT / ".github" / "actions" / "smoke" / "action.yml"
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


@pytest.mark.parametrize(
    ("schema", "path"),
    [("actions", ACTION), *(("workflows", path) for path in WORKFLOWS)],
    ids=lambda value: value.stem if isinstance(value, Path) else value,
)
def test_github_knows_every_key(schema: str, path: Path) -> None:
    command = ["-m", "check_jsonschema", "--builtin-schema", f"vendor.github-{schema}", str(path)]
    ran = subprocess.run([sys.executable, *command], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout


@pytest.mark.parametrize("path", [ACTION, *WORKFLOWS], ids=lambda path: path.stem)
def test_actions_of_others_are_pinned_to_a_release(path: Path) -> None:
    used = re.findall(r"uses: (\S+)", path.read_text())
    others = [name for name in used if not name.startswith("./")]
    assert others
    assert all(re.fullmatch(r"actions/[a-z-]+@v\d+\.\d+\.\d+", name) for name in others), others


def test_the_workflow_runs_what_continuous_integration_runs_everywhere() -> None:
    jobs = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text())["jobs"]
    assert {"run": ".ci/run"} in jobs["check-and-test"]["steps"]


def test_no_input_is_pasted_into_a_script() -> None:
    steps = yaml.safe_load(ACTION.read_text())["runs"]["steps"]
    scripts = [step["run"] for step in steps if "run" in step]
    assert len(scripts) == 2
    assert not any("${{" in script for script in scripts)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, []),
        (
            {"FAIL_IF": "best/val_rmse > champion\n\ntrials/failed > 0\n", "CHAMPION": "load"},
            ["--fail-if=best/val_rmse > champion", "--fail-if=trials/failed > 0",
             "--champion=load"],
        ),
        ({"SET": "data.limit=9\n space.parameters={cell: [gru]}"},
         ["--set=data.limit=9", "--set= space.parameters={cell: [gru]}"]),
        ({"SET": "x='; touch pwned; '$(touch pwned)`touch pwned`"},
         ["--set=x='; touch pwned; '$(touch pwned)`touch pwned`"]),
    ],
)  # fmt: skip
def test_the_action_says_to_the_command_what_it_was_given(
    tmp_path: Path, given: dict[str, str], expected: list[str]
) -> None:
    (script,) = [s["run"] for s in _steps() if s.get("name") == "Smoke"]
    stub = tmp_path / "rnn-sweep"
    stub.write_text('#!/bin/sh\nfor word in "$@"; do echo "$word"; done\n')
    stub.chmod(0o755)
    empty = dict.fromkeys(("FAIL_IF", "SET", "CHAMPION"), "")
    environment = {"PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}", "RUNNER_TEMP": "/t"}
    ran = subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
        env={**environment, "SPEC": "my sweep.yaml", **empty, **given},
        capture_output=True, text=True, check=True, cwd=tmp_path,
    )  # fmt: skip
    always = ["smoke", "--dir", "/t/smoke", "--junit", "/t/smoke/junit.xml"]
    assert ran.stdout.splitlines() == [*always, *expected, "--", "my sweep.yaml"]
    assert not (tmp_path / "pwned").exists()


def _steps() -> list[dict[str, str]]:
    return list(yaml.safe_load(ACTION.read_text())["runs"]["steps"])

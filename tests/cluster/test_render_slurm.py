"""The sbatch script is valid shell, asks for what workers need, and guards token and passwords."""

import os
import re
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from cluster.render.slurm import render
from tests.cluster.deployments import FULL, PLAIN
from tests.cluster.golden import expect

CASES = {"plain": PLAIN, "full": FULL}
SHELLCHECK = Path(sys.executable).parent / "shellcheck"


def directives(text):
    return re.findall(r"^#SBATCH (\S+)$", text, re.MULTILINE)


def run(*words, text):
    return subprocess.run(words, input=text, capture_output=True, text=True, check=False)


SRUN = """#!{python}
import os, pathlib, signal, sys, time
driver, outcome = sys.argv[sys.argv.index("sweep") + 1 :][:2]
def stop(*_):
    pathlib.Path(outcome).write_text("130")
    sys.exit(130)
signal.signal(signal.SIGINT, stop)
pathlib.Path("starting").touch()
while not pathlib.Path("begin").exists():
    time.sleep(0.02)
pathlib.Path(driver).write_text(str(os.getpid()))
time.sleep(60)
"""


@pytest.mark.parametrize("name", CASES)
def test_the_whole_script_is_the_golden_one(name):
    expect(f"slurm-{name}.sbatch", render(CASES[name]))


@pytest.mark.parametrize("name", CASES)
def test_bash_can_read_it_and_shellcheck_finds_nothing(name):
    text = render(CASES[name])
    assert run("bash", "-n", text=text).stderr == ""
    users_own = "--exclude=SC1090"  # a file that `setup` reads
    assert run(SHELLCHECK, "--shell=bash", users_own, "-", text=text).stdout == ""


def test_shellcheck_would_find_something():
    text = render(PLAIN).replace('rm -rf "$private"', "rm -rf $privat/*")
    assert "SC2154" in run(SHELLCHECK, "--shell=bash", "-", text=text).stdout


def test_directives_come_before_the_first_command_or_slurm_ignores_them():
    lines = render(FULL).splitlines()
    first = next(n for n, line in enumerate(lines) if line and not line.startswith("#"))
    assert not [line for line in lines[first:] if line.startswith("#SBATCH")]


def test_nodes_are_sized_for_the_workers_that_share_them():
    found = directives(render(FULL))
    assert "--nodes=3" in found  # 6 workers, 2 a node
    assert "--cpus-per-task=5" in found  # 2 × 2, and one for the coordinator
    assert "--mem=20G" in found  # (2 × 6 + 2) / 0.7
    assert "--gres=gpu:a100:1" in found  # 2 × 0.5
    assert "--time=1-06:30:00" in found
    assert "--num-cpus=4 --num-gpus=1" in render(FULL)
    assert not [each for each in directives(render(PLAIN)) if each.startswith("--gres")]


def test_the_number_of_nodes_is_the_one_that_ray_waits_for():
    text = render(FULL)
    assert '--min-nodes "$SLURM_JOB_NUM_NODES"' in text
    assert 'srun --nodes="$SLURM_JOB_NUM_NODES" --ntasks-per-node=1' in text


def test_the_token_is_made_on_the_spot_and_private():
    text = render(PLAIN)
    assert text.index("umask 077") < text.index("/dev/urandom")
    assert "export RAY_AUTH_MODE=token" in text
    assert 'chmod 600 "$RAY_AUTH_TOKEN_PATH"' in text
    assert "RAY_AUTH_TOKEN=" not in text


def test_the_sweep_file_arrives_as_it_is(tmp_path):
    sweep = "name: load\nnote: $(touch owned) `touch owned` {braces} $HOME\nEND_OF_SWEEP\n"
    text = render(replace(PLAIN, sweep=sweep))
    start, end = text.index("spec="), text.index("# One token per start")
    run("bash", "-c", f"cd {tmp_path}; private=.\n{text[start:end]}", text="")
    assert (tmp_path / "load.yaml").read_text() == sweep
    assert not (tmp_path / "owned").exists()


def test_an_environment_file_that_others_can_read_is_refused(tmp_path):
    slurm = replace(PLAIN.slurm, environment=str(tmp_path / "secrets"))
    text = render(replace(PLAIN, slurm=slurm))
    part = text[text.index("environment=") : text.index("sweeps=")]
    (tmp_path / "secrets").write_text("export PGPASSWORD=planted\n")
    (tmp_path / "secrets").chmod(0o644)
    refused = run("bash", "-c", part, text="")
    assert (refused.returncode, refused.stderr) == (
        2,
        f"error: {tmp_path}/secrets must have mode 600\n",
    )
    (tmp_path / "secrets").chmod(0o600)
    assert run("bash", "-c", f"{part}echo $PGPASSWORD", text="").stdout == "planted\n"


def test_a_sweep_that_is_stopped_before_it_has_begun_stops_when_it_begins(tmp_path):
    """`srun` is a stand-in that starts the sweep only after the signal."""
    (tmp_path / "srun").write_text(SRUN.replace("{python}", sys.executable))
    (tmp_path / "srun").chmod(0o755)
    job = {"SLURM_JOB_ID": "7", "SLURM_JOB_NUM_NODES": "1", "SLURM_CPUS_PER_TASK": "1"}
    path = f"{tmp_path}:{os.environ['PATH']}"
    process = subprocess.Popen(
        ["bash", "-c", render(PLAIN)],
        cwd=tmp_path,
        env=os.environ | job | {"PATH": path, "HOME": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    try:
        while not (tmp_path / "starting").exists():
            assert process.poll() is None, process.communicate()
        process.send_signal(signal.SIGTERM)
        (tmp_path / "begin").touch()
        said, _ = process.communicate(timeout=30)
    finally:
        process.kill()
    assert (process.returncode, said) == (130, b"")

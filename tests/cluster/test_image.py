"""The Dockerfile keeps hadolint's rules, takes what the project names, and ends as no root."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCKERFILE = ROOT / "cluster" / "images" / "Dockerfile"
HADOLINT = Path(sys.executable).parent / "hadolint"
TEXT = DOCKERFILE.read_text()


def hadolint(text):
    words = [HADOLINT, "--no-color", "-"]
    return subprocess.run(words, input=text, capture_output=True, text=True, check=False).stdout


def instructions():
    """Return (word, rest) of each instruction, continued lines joined, comments left out."""
    lines = [
        line for line in TEXT.splitlines() if line.strip() and not line.lstrip().startswith("#")
    ]
    joined = re.sub(r"\\\n\s*", " ", "\n".join(lines))
    return [tuple(line.split(None, 1)) for line in joined.splitlines()]


def test_hadolint_finds_nothing():
    assert hadolint(TEXT) == ""


def test_hadolint_would_find_something():
    assert "DL3006" in hadolint(re.sub("FROM python:.*", "FROM python", TEXT))


def test_the_image_ends_as_a_user_without_rights_and_with_the_token_demanded():
    words = instructions()
    assert [rest for word, rest in words if word == "USER"] == ["1000:1000"]
    last = len(words) - 1 - [word for word, _ in words[::-1]].index("FROM")
    assert "USER" in [word for word, _ in words[last:]]
    (environment,) = [rest for word, rest in words[last:] if word == "ENV"]
    assert "RAY_AUTH_MODE=token" in environment.split()
    assert "RAY_USAGE_STATS_ENABLED=0" in environment.split()


def test_what_it_copies_exists_and_the_ignore_file_lets_it_through():
    copied = [
        name
        for word, rest in instructions()
        if word == "COPY" and not rest.startswith("--from")
        for name in rest.split()[:-1]
    ]
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    for name in copied:
        assert (ROOT / name).exists()
        assert f"!{name}" in ignored
    assert ignored[0] == "*"


def test_it_installs_the_project_with_extras_that_exist():
    (extras,) = re.findall(r'pip install "\.\[([a-z,]+)\]"', TEXT)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert set(extras.split(",")) <= set(project["optional-dependencies"])
    python = re.search("ARG PYTHON=([0-9.]+)", TEXT).group(1)
    assert project["requires-python"] == f">={python}"


@pytest.mark.parametrize("name", ["openssh-client", "procps", "rsync", "tmux"])
def test_it_has_what_rendered_manifests_call(name):
    assert re.search(rf"install .* {name}\b", TEXT)

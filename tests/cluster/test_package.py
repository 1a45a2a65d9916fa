import io
import random
import zipfile

import pytest

from cluster.errors import JobError, PackageError
from cluster.jobs import Job, job_from, next_number
from cluster.package import pack, python_sources
from cluster.place import main, missing, place


def test_an_archive_is_a_function_of_names_and_contents(tmp_path):
    (tmp_path / "a").write_text("1")
    first = pack({"x/a": tmp_path / "a", "b": b"2"})
    (tmp_path / "a").touch()
    assert pack({"b": b"2", "x/a": tmp_path / "a"}) == first
    assert pack({"b": b"3", "x/a": tmp_path / "a"}).name != first.name
    with zipfile.ZipFile(io.BytesIO(first.data)) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == {"b": b"2", "x/a": b"1"}


def test_what_is_too_big_is_refused_with_the_biggest_named(tmp_path):
    (tmp_path / "big.csv").write_bytes(random.Random(0).randbytes(3 * 2**20))
    files = {"small": b"1", "data/big.csv": tmp_path / "big.csv"}
    with pytest.raises(PackageError, match=r"below 2 MiB .* of 2 files: data/big.csv 3.0 MiB; put"):
        pack(files, limit_bytes=2 * 2**20)
    pack(files, limit_bytes=4 * 2**20)


def test_a_file_that_can_not_be_read_is_named(tmp_path):
    with pytest.raises(PackageError, match=r"gone.csv must be readable, but: No such file"):
        pack({"gone.csv": tmp_path / "gone.csv"})


def test_sources_come_without_caches(tmp_path):
    for name in ("a.py", "page/p.css", "__pycache__/a.pyc"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert set(python_sources(tmp_path, "pkg")) == {"pkg/a.py", "pkg/page/p.css"}


def test_files_get_their_place_whole(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "submitted" / "data").mkdir(parents=True)
    (tmp_path / "submitted" / "data" / "x.csv").write_text("new")
    target = tmp_path / "sweeps" / "s" / "submitted"
    (target / "data").mkdir(parents=True)
    (target / "data" / "x.csv").write_text("old and longer")
    (target / "data" / "bad.csv").write_text("sent once, then removed")
    (target / "more" / "deep").mkdir(parents=True)
    (target / "more" / "deep" / "bad.csv").write_text("sent once, then removed")
    (target / "a.yaml").mkdir()
    (tmp_path / "submitted" / "a.yaml").write_text("a folder once")
    place(target)
    there = sorted(p.relative_to(target).as_posix() for p in target.rglob("*"))
    assert there == ["a.yaml", "data", "data/x.csv"]
    assert (target / "data" / "x.csv").read_text() == "new"


def test_a_cluster_without_what_is_needed_says_so(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr("cluster.place.NEEDED", ("json", "no_such_module"))
    assert "has no no_such_module; use an image" in str(missing(None))
    assert main([str(tmp_path / "x")]) == 2
    assert not (tmp_path / "x").exists()
    assert capsys.readouterr().err.startswith("error: the cluster's Python")


def test_a_folder_that_can_not_be_written_is_named(monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "submitted").mkdir()
    (tmp_path / "submitted" / "a.yaml").touch()
    (tmp_path / "file").touch()
    assert main([str(tmp_path / "file" / "a" / "submitted")]) == 2
    assert "must be writable on the cluster, but: Not a directory" in capsys.readouterr().err


def test_installed_means_the_same_version(monkeypatch):
    monkeypatch.setattr("cluster.place.NEEDED", ())
    assert "must have rnn-sweep 9.9, but has" in str(missing("9.9"))


def test_jobs_are_ours_by_their_names():
    job = job_from({"submission_id": "rnn-sweep-a-1-12", "status": "RUNNING", "start_time": 1500})
    assert job == Job("rnn-sweep-a-1-12", "a-1", 12, "RUNNING", started=1.5)
    for name in (None, "raysubmit_x", "rnn-sweep-a", "rnn-sweep-a-01"):
        assert job_from({"submission_id": name}) is None


def test_a_sweep_runs_once_at_a_time():
    over, runs = Job("rnn-sweep-a-1", "a", 1, "STOPPED"), Job("rnn-sweep-a-2", "a", 2, "PENDING")
    assert next_number([], "a") == 1
    assert next_number([over], "a") == 2
    assert next_number([runs], "b") == 1
    with pytest.raises(JobError, match="but a is pending as rnn-sweep-a-2"):
        next_number([over, runs], "a")

"""What a file is, told by its name and its first lines."""

import pytest

from sweep.datasets.forms import examples_in, form_of, is_ucr
from sweep.errors import ConfigProblem
from tests.sweep.datasets.data_files import cases, sentences, ucr, write_csv

PROSE = "To be, or not to be: that is the question.\nWhether 'tis nobler in the mind,\n" * 20


@pytest.mark.parametrize(
    ("name", "text", "form"),
    [
        ("load.csv", "a,b\n1,2\n", "table"),
        ("load.csv.gz", None, "table"),
        ("power.txt", "Date;Time;Load\n1/1/2020;00:00;1,5\n1/1/2020;00:01;2,5\n", "table"),
        ("grid.txt", "1.5 2.5 3.5\n2.5 3.5 4.5\n4.5 5.5 6.5\n", "table"),
        ("load.tsv", "time\tload\n2021-01-01\t5\n2021-01-02\t6\n", "table"),
        ("Toy_TRAIN.ts", cases(), "cases"),
        ("Toy_TRAIN.txt", cases(), "cases"),
        ("ECG_TRAIN.tsv", ucr(), "cases"),
        ("ECG_TRAIN.txt", ucr().replace("\t", "  "), "cases"),
        ("reviews.txt", sentences(), "examples"),
        ("reviews.tsv", sentences(), "examples"),
        ("input.txt", PROSE, "text"),
        ("poem", PROSE, "text"),
    ],
)
def test_a_file_is_told_by_its_name_and_its_lines(tmp_path, name, text, form):
    path = tmp_path / name
    if text is None:
        write_csv(path)
    else:
        path.write_text(text)
    assert form_of(path) == form


@pytest.mark.parametrize(
    ("files", "form"),
    [
        ({"a.csv": "x,y\n1,2\n", "b.csv": "x,y\n3,4\n"}, "tables"),
        ({"Toy_TRAIN.ts": cases(), "Toy_TEST.ts": cases()}, "cases"),
        ({"one.txt": PROSE, "two.txt": PROSE}, "text"),
        ({"one.txt": sentences(), "two.txt": sentences()}, "examples"),
        ({"part-0.csv": "x\n1\n", "part-1.csv": "x\n2\n"}, "table"),
    ],
)
def test_a_folder_is_told_by_its_files(tmp_path, files, form):
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    assert form_of(tmp_path) == form


def test_nothing_that_is_known_is_told_with_what_is_there(tmp_path):
    with pytest.raises(ConfigProblem, match=r"there is no .*nowhere\.csv"):
        form_of(tmp_path / "nowhere.csv")
    (tmp_path / "photo.jpg").write_bytes(b"x")
    with pytest.raises(ConfigProblem, match=r"has photo\.jpg"):
        form_of(tmp_path)


def test_labels_may_come_first():
    lines = sentences().splitlines()
    assert examples_in(lines) is False
    assert examples_in(["\t".join(reversed(line.split("\t"))) for line in lines]) is True
    assert examples_in(["1\t2", "3\t4"]) is None
    assert examples_in(["one line without a tab"]) is None


def test_a_table_without_names_is_no_ucr_file():
    assert is_ucr(ucr().splitlines())
    assert not is_ucr(["1,2,3", "2,3,4"])  # too few steps
    assert not is_ucr([f"{n}.5" + ",1.5" * 12 for n in range(20)])  # no labels

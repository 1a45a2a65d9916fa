import optuna
import pytest
from typer.testing import CliRunner

from sweep.__main__ import main
from sweep.cli.app import app
from tests.sweep.sweep_factory import complete, write_sweep


@pytest.fixture
def run(tmp_path):
    """Call the command line over a folder with the sweeps `one` and `two`."""
    for name in ("one", "two"):
        write_sweep(
            tmp_path, *complete(0, {"k": name}, 0.3), *complete(1, {"k": "x"}, 0.4), name=name
        )

    def call(*words):
        result = CliRunner().invoke(app, [*words, "--dir", str(tmp_path)], catch_exceptions=False)
        assert result.exit_code == 0
        return result.output

    return call


def test_report_writes_a_page_beside_the_log_or_where_it_is_told(run, tmp_path):
    assert str(tmp_path / "one" / "report.html") in run("report", "one")
    assert "<h1>one</h1>" in (tmp_path / "one" / "report.html").read_text()
    run("report", "two", "--output", str(tmp_path / "page.html"))
    assert "<h1>two</h1>" in (tmp_path / "page.html").read_text()


def test_compare_sets_what_differs_side_by_side(run):
    rows = [line.split() for line in run("compare", "one/0", "two/1").splitlines()]
    assert ["k", "one", "x"] in rows
    assert ["validation", "rmse", "0.3", "0.4", "+0.1"] in rows
    assert not [row for row in rows if row[:1] == ["epochs"] and len(row) == 4]  # both have 2


def test_export_says_what_it_wrote(run, tmp_path):
    url = f"sqlite:///{tmp_path / 'study.db'}"
    assert run("export", "one", url).strip() == f"Study 'one' in {url} holds 2 trials."
    assert "in place of its earlier export" in run("export", "one", url)
    assert optuna.load_study(study_name="one", storage=url).best_value == 0.3


def test_export_to_what_is_neither_a_file_nor_a_database_is_one_line(tmp_path, capsys):
    assert main(["export", "one", "study.db", "--dir", str(tmp_path)]) == 2
    error = capsys.readouterr().err
    assert "a file that ends in .onnx, but got 'study.db'" in error
    assert error.count("\n") == 1

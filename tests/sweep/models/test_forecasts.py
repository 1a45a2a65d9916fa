"""`rnn-sweep predict --steps` and `--generate` as people type them."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pandas as pd
import pytest

from sweep.__main__ import main
from tests.trainers.portable_factory import characters
from tests.trainers.trained_series import Trained
from tests.trainers.use.test_forecasting import hours
from trainers.data.series.asking import courses_of_table
from trainers.use.feeding import Member, forecast
from trainers.use.forecasting import Horizon
from trainers.use.generation import Generation
from trainers.use.portable import PortableModel

GAUSSIAN = {"loss": "gaussian"}


@pytest.fixture(scope="module")
def load(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """A network with intervals of its own; its folder holds it as `model`."""
    folder = tmp_path_factory.mktemp("load")
    options = {"time_column": "time", "inputs": ["load"], "calendar": ["hour"]}
    trained = Trained(folder, hours(), GAUSSIAN, **options)
    (folder / "model").mkdir()
    trained.model.write(folder / "model")
    return trained


@pytest.fixture(scope="module")
def letters(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, PortableModel]:
    folder = tmp_path_factory.mktemp("letters")
    _, _, model = characters(folder)
    (folder / "model").mkdir()
    model.write(folder / "model")
    return folder / "model", model


def printed(capsys: pytest.CaptureFixture[str], *words: str | Path) -> str:
    assert main(["predict", *map(str, words)]) == 0
    return capsys.readouterr().out


def complaint(capsys: pytest.CaptureFixture[str], *words: str | Path) -> str:
    assert main(["predict", *map(str, words)]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    return error


def given(trained: Trained) -> tuple[Path, Path]:
    return trained.path.parent / "model", trained.path


class TestSteps:
    def test_a_row_a_step_with_its_time(
        self, load: Trained, capsys: pytest.CaptureFixture[str]
    ) -> None:
        found = pd.read_csv(io.StringIO(printed(capsys, *given(load), "--steps", "4")))
        assert [*found.columns] == ["time", "step", "load_predicted"]
        assert found["time"].tolist() == [f"2026-03-30 {hour}:00" for hour in (18, 19, 20, 21)]
        courses = courses_of_table(load.path, load.model.interface.reading, 4)
        (expected,) = forecast([Member(load.model, courses)], Horizon(4))
        assert found["load_predicted"].tolist() == pytest.approx(expected["load"], rel=1e-9)

    def test_paths_have_quantiles(self, load: Trained, capsys: pytest.CaptureFixture[str]) -> None:
        words = ["--steps", "2", "--paths", "30", "--quantiles", "0.1,0.9", "--seed", "7"]
        text = printed(capsys, *given(load), *words)
        assert text.splitlines()[0] == "time,step,load_predicted,load_q0.1,load_q0.9"
        assert printed(capsys, *given(load), *words) == text

    def test_whole_paths_as_json(self, load: Trained, tmp_path: Path) -> None:
        words = ["--steps", "2", "--paths", "5", "--whole-paths", "-o", str(tmp_path / "p.json")]
        assert main(["predict", *map(str, given(load)), *words]) == 0
        rows = json.loads((tmp_path / "p.json").read_text())
        assert [len(row["load_paths"]) for row in rows] == [5, 5]

    def test_what_curl_sends(
        self, load: Trained, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        steps = json.loads(hours()[["time", "load"]].to_json(orient="records"))
        (tmp_path / "r.json").write_text(json.dumps({"inputs": [{"steps": steps}] * 2}))
        model, table = given(load)
        rows = pd.read_csv(io.StringIO(printed(capsys, model, tmp_path / "r.json", "--steps", "3")))
        assert rows[["sequence", "step"]].to_numpy().tolist() == [
            [n, s] for n in (0, 1) for s in (1, 2, 3)
        ]
        of_table = pd.read_csv(io.StringIO(printed(capsys, model, table, "--steps", "3")))
        assert rows["load_predicted"].tolist() == pytest.approx(
            [*of_table["load_predicted"]] * 2, rel=1e-6
        )

    @pytest.mark.parametrize(
        ("words", "message"),
        [
            (["--steps", "0"], "`steps >= 1` must hold for a whole number, but got 0"),
            (["--steps", "-2"], "`steps >= 1`"),
            (["--steps", "2", "--paths", "0"], "`paths >= 1`"),
            (["--steps", "2", "--paths", "3", "--seed", "-1"], "`seed >= 0`"),
            (["--steps", "2", "--paths", "3", "--quantiles", "0,1"], "`0 < level < 1`"),
            (["--steps", "2", "--paths", "3", "--quantiles", "low"], "--quantiles must be numbers"),
            (
                ["--steps", "2", "--paths", "3", "--whole-paths"],
                "--whole-paths needs --format json",
            ),
            (["--steps", "2", "--quantiles", "0.5"], "--quantiles needs --paths"),
            (["--steps", "2", "--seed", "3"], "--seed needs --paths or --generate"),
            (["--steps", "2", "--probabilities"], "leave --probabilities out"),
            (["--paths", "3"], "--paths needs --steps"),
            (["--prompt", "a"], "--prompt needs --generate"),
            (["--generate", "3"], "--generate writes a text without a file: leave DATA out"),
        ],
        ids=str,
    )
    def test_what_does_not_fit_is_one_line(
        self,
        load: Trained,
        capsys: pytest.CaptureFixture[str],
        words: list[str],
        message: str,
    ) -> None:
        assert message in complaint(capsys, *given(load), *words)


class TestGenerate:
    def test_the_prompt_and_what_follows(
        self, letters: tuple[Path, PortableModel], capsys: pytest.CaptureFixture[str]
    ) -> None:
        folder, model = letters
        words = ["--generate", "30", "--prompt", "ab", "--temperature", "0.8", "--top-k", "2"]
        text = printed(capsys, folder, *words, "--seed", "4")
        asked = Generation(30, "ab", temperature=0.8, top_k=2, seed=4)
        assert text == model.writer().write(asked)[0] + "\n"

    def test_several_texts_and_their_files(
        self,
        letters: tuple[Path, PortableModel],
        tmp_path: Path,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        folder, model = letters
        one, two = model.writer().write(Generation(9), 2)
        words = [folder, "--generate", "9", "--count", "2"]
        assert printed(capsys, *words) == f"--- 1 of 2 ---\n{one}\n--- 2 of 2 ---\n{two}\n"
        rows = [{"number": 1, "text": one}, {"number": 2, "text": two}]
        assert json.loads(printed(capsys, *words, "--format", "json")) == rows
        printed(capsys, *words, "-o", tmp_path / "t.csv")
        assert pd.read_csv(tmp_path / "t.csv").to_dict("records") == rows
        printed(capsys, folder, "--generate", "9", "-o", tmp_path / "t.txt")
        assert (tmp_path / "t.txt").read_text() == one + "\n"

    def test_what_the_model_does_not_know_of_a_prompt_is_told(
        self, letters: tuple[Path, PortableModel], capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert main(["predict", str(letters[0]), "--generate", "3", "--prompt", "a?x"]) == 0
        note = capsys.readouterr().err
        assert note.startswith("note: the prompt holds 2 token(s) that the model was not trained")
        assert "the first '?'" in note

    @pytest.mark.parametrize(
        ("words", "message"),
        [
            (["--generate", "0"], "`generate >= 1`"),
            (["--generate", "5", "--temperature", "-1"], "`temperature >= 0`"),
            (["--generate", "5", "--top-k", "0"], "`top_k >= 1`"),
            (["--generate", "5", "--count", "0"], "`count >= 1`"),
            (["--generate", "5", "--seed", "-1"], "`seed >= 0`"),
            (["--generate", "5", "--steps", "3"], "leave --steps out"),
            (["--generate", "5", "--last"], "leave --last out"),
            (["--generate", "5", "-o", "text.xlsx"], "a file's ending says its format"),
            ([], "predict needs a file, or --generate"),
            (["--steps", "3"], "predict needs a file"),
        ],
        ids=str,
    )
    def test_what_does_not_fit_is_one_line(
        self,
        letters: tuple[Path, PortableModel],
        capsys: pytest.CaptureFixture[str],
        words: list[str],
        message: str,
    ) -> None:
        assert message in complaint(capsys, letters[0], *words)

    def test_a_model_of_numbers_writes_nothing(
        self, load: Trained, capsys: pytest.CaptureFixture[str]
    ) -> None:
        error = complaint(capsys, given(load)[0], "--generate", "5")
        assert "this network's data had no vocabulary" in error

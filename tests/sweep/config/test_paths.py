"""Relative paths in a sweep file start in its folder and stay there; links are kept as they are."""

import pytest

from sweep.config.identity import difference, identity
from sweep.config.sweep_config import load_config
from sweep.errors import ConfigProblem


class TestPathsStayInTheFolder:
    @pytest.fixture
    def outside(self, tmp_path):
        """A sweep's folder with links out of it, beside a file that must not be reached."""
        (tmp_path / "secret.csv").write_text("a\n1\n")
        folder = tmp_path / "sweep"
        (folder / "texts").mkdir(parents=True)
        (folder / "link.csv").symlink_to(tmp_path / "secret.csv")
        (folder / "texts" / "in.txt").write_text("in")
        (folder / "texts" / "out.txt").symlink_to(tmp_path / "secret.csv")
        (folder / "up").symlink_to(tmp_path)
        return folder

    @pytest.mark.parametrize(
        ("text", "key"),
        [
            ("data: {source: csv, path: ../secret.csv}", "data.path"),
            ("data: {source: csv, path: link.csv}", "data.path"),
            ("data: {source: csv, path: up/secret.csv}", "data.path"),
            ("data: {source: text, path: texts}", "data.path"),
            ("data: {source: text, path: 'texts/*.txt'}", "data.path"),
            ("data: {source: text, path: texts/in.txt, test_path: ../secret.csv}", "data.test"),
            ("data: {source: table, folder: ../}", "data.folder"),
            ("data: {source: ../my.py:load}", "data.source"),
            ("data: {source: digits}\nspace: {base: ../my.py:space}", "space.base"),
            ("data: {source: digits}\nsearch: {warm_start: [../old]}", "search.warm_start"),
            ("data: {source: digits}\ntrain: {first_weights: ../old}", "train.first_weights"),
        ],
    )
    def test_a_way_out_is_refused(self, outside, text, key):
        path = outside / "sweep.yaml"
        path.write_text(text)
        with pytest.raises(ConfigProblem, match=rf"must stay in the file's folder, but {key}"):
            load_config(path)

    def test_within_it_anything_goes(self, outside):
        (outside / "alias.txt").symlink_to(outside / "texts" / "in.txt")
        path = outside / "sweep.yaml"
        path.write_text("data: {source: text, path: texts/../alias.txt}")
        found = load_config(path).data.options["path"]
        assert found == str(outside.resolve() / "alias.txt")

    def test_a_folder_that_is_itself_a_link_is_no_way_out(self, outside, tmp_path):
        (outside / "sweep.yaml").write_text("data: {source: text, path: texts/in.txt}")
        (tmp_path / "again").symlink_to(outside)
        before = load_config(outside / "sweep.yaml")
        assert load_config(tmp_path / "again" / "sweep.yaml") == before

    def test_a_link_that_leads_elsewhere_tomorrow_makes_no_other_sweep(self, tmp_path):
        """A Kubernetes volume: its files are links through one that bears the mounting's time."""
        (tmp_path / "sweep.yaml").write_text("data: {source: my.py:load}")
        (tmp_path / "my.py").symlink_to("..data/my.py")
        found = []
        for time in ("..2026_01_01", "..2026_02_02"):
            (tmp_path / time).mkdir()
            (tmp_path / time / "my.py").write_text("")
            (tmp_path / "..data").unlink(missing_ok=True)
            (tmp_path / "..data").symlink_to(time)
            found.append(identity(load_config(tmp_path / "sweep.yaml")))
        assert difference(*found) == []

    @pytest.mark.parametrize("path", ["~nobody-here/x.csv", '"x\\0.csv"'])
    def test_what_can_be_no_path_is_said(self, tmp_path, path):
        (tmp_path / "sweep.yaml").write_text(f"data: {{source: csv, path: {path}}}")
        with pytest.raises(ConfigProblem, match=r"^data\.path must name a path, but got"):
            load_config(tmp_path / "sweep.yaml")

    def test_what_the_user_says_may_lie_anywhere(self, outside, monkeypatch):
        path = outside / "sweep.yaml"
        secret = (outside / ".." / "secret.csv").resolve()
        path.write_text(f"data: {{source: csv, path: {secret}}}")
        assert load_config(path).data.options["path"] == str(secret)
        monkeypatch.chdir(outside)
        path.write_text("data: {source: csv, path: in.csv}")
        config = load_config(path, ["data.path=../secret.csv"])
        assert config.data.options["path"] == str(secret)

"""A base space beside `architecture: encoder_decoder`, which can't be trained in segments."""

import pytest

from sweep.config.sweep_config import SweepConfig
from sweep.errors import ConfigProblem
from sweep.running.preparation import prepare
from sweep.search.space import sweep_space

NAME = "tbptt_forward_steps"


def config(**sections) -> SweepConfig:
    return SweepConfig.model_validate({"name": "s", "data": {"source": "digits"}, **sections})


def test_a_decoder_has_full_bptt_where_the_base_alone_asks_for_segments():
    space = sweep_space(config(train={"architecture": "encoder_decoder"}))
    assert {space.sample(seed)[NAME] for seed in range(20)} == {None}


def test_pairs_run_with_nothing_but_their_source(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "p.txt").write_text("".join(f"ab{i}\t{i}ba\n" for i in range(40)))
    prepared = prepare(config(data={"source": "pairs", "path": "p.txt"}))
    assert {prepared.space.sample(seed)[NAME] for seed in range(20)} == {None}


def test_segments_that_the_file_asks_for_are_refused():
    asked = config(
        train={"architecture": "encoder_decoder"}, space={"parameters": {NAME: [None, 16]}}
    )
    with pytest.raises(ConfigProblem, match="needs full BPTT"):
        sweep_space(asked)


def test_others_keep_their_segments():
    space = sweep_space(config())
    assert {space.sample(seed)[NAME] for seed in range(40)} == {None, 16, 64}

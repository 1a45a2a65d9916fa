import json
import shutil
from pathlib import Path

import pytest

from sweep.log.checkpoints import checkpoint_path, recorded_path
from sweep.results.export import best_json
from sweep.results.results import open_results
from tests.sweep.session_runs import Interrupted, fold, numbers, run


def test_the_log_says_where_a_checkpoint_lies_in_the_sweep_s_folder():
    assert recorded_path("/disk/sweeps/s/checkpoints/trial-00003") == "checkpoints/trial-00003"


@pytest.mark.parametrize("recorded", ["checkpoints/x", "/gone/sweeps/s/checkpoints/x", "x"])
def test_a_recorded_checkpoint_is_found_by_its_name(recorded):
    assert checkpoint_path(Path("here/s"), recorded) == Path("here/s/checkpoints/x")


def test_a_sweep_whose_folder_was_moved_goes_on_from_its_checkpoints(tmp_path, caplog):
    changes = {
        "run": {"workers": 2, "order": "reproducible", "checkpoint_seconds": 1e-6},
        "search": {"pruning": {"rule": "halving", "reduction_factor": 2}},
    }
    run(tmp_path / "calm", **changes)
    with pytest.raises(MemoryError):
        run(tmp_path / "old", Interrupted(polls=4), **changes)
    saved = {t.number: t.checkpoint_epoch for t in fold(tmp_path / "old").active.values()}
    assert any(saved.values())
    shutil.move(tmp_path / "old", tmp_path / "new")
    run(tmp_path / "new", **changes)
    assert not [line for line in caplog.messages if "begins anew" in line]
    assert numbers(tmp_path / "new") == numbers(tmp_path / "calm")
    path = Path(json.loads(best_json(open_results("s", tmp_path / "new")))["checkpoint"])
    assert path.parent == (tmp_path / "new" / "s" / "checkpoints").resolve()
    assert path.is_file()

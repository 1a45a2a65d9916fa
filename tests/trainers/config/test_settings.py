"""Each setting is declared once, with all that a reader needs."""

from __future__ import annotations

import sys
from types import ModuleType

import pytest

from trainers.config.cells import CELLS
from trainers.config.settings import settings
from trainers.config.train_config import TrainConfig
from trainers.errors import ConfigError

each_setting = pytest.mark.parametrize("setting", settings().values(), ids=lambda s: s.name)


@each_setting
def test_a_setting_says_what_it_means_and_its_default_is_lawful(setting):
    assert setting.sentence
    assert not setting.sentence.endswith(".")
    setting.check(setting.default)


@each_setting
def test_what_is_typical_is_lawful(setting):
    assert setting.choices or isinstance(setting.default, bool) or len(setting.typical) == 2
    for value in setting.typical:
        setting.check(value)


@pytest.mark.parametrize(
    ("name", "outside", "law"),
    [
        ("hidden_size", 0, "hidden_size >= 1"),
        ("momentum", 1.0, "0 <= momentum < 1"),
        ("lr_decay_rate", 0.0, "0 < lr_decay_rate <= 1"),
        ("clip_norm", 0.0, "clip_norm > 0 or null"),
        ("bidirectional", None, "true or false"),
        ("stem", "lens", "one of none, dense, conv"),
    ],
)
def test_its_law_is_one_line_that_its_message_holds(name, outside, law):
    setting = settings()[name]
    assert setting.law == law
    with pytest.raises(ConfigError, match=law):
        setting.check(outside)


def test_an_open_choice_may_be_somebody_elses_and_laws_ask_it(monkeypatch):
    module = ModuleType("my_cells")
    module.MINE = CELLS["gru"]
    monkeypatch.setitem(sys.modules, "my_cells", module)
    assert TrainConfig(cell="my_cells:MINE", chrono_time_steps=9).cell == "my_cells:MINE"
    with pytest.raises(ConfigError, match="forget_bias needs a cell with a forget gate"):
        TrainConfig(cell="my_cells:MINE", forget_bias=1.0)
    with pytest.raises(ConfigError, match="my_cells:YOURS can't be loaded"):
        TrainConfig(cell="my_cells:YOURS")

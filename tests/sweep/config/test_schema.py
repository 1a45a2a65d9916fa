"""The sweep file's JSON schema: every preset passes, every law of a single key is in it."""

from __future__ import annotations

import jsonschema
import pytest

from sweep.config.file import find_sweep_file, preset_names, read_sweep_file
from sweep.config.schema import config_schema
from sweep.config.sweep_config import SweepConfig
from trainers.config.declaration import plain
from trainers.config.settings import settings

SCHEMA = jsonschema.Draft202012Validator(config_schema())


def problems(**sections: object) -> list[str]:
    return [
        error.message for error in SCHEMA.iter_errors({"data": {"source": "digits"}} | sections)
    ]


def test_it_is_a_schema_that_knows_every_section_and_training_setting():
    jsonschema.Draft202012Validator.check_schema(SCHEMA.schema)
    assert set(SCHEMA.schema["properties"]) == set(SweepConfig.model_fields)
    assert list(SCHEMA.schema["properties"]["train"]["properties"]) == list(settings())


@pytest.mark.parametrize("name", preset_names())
def test_every_preset_passes(name):
    SCHEMA.validate(read_sweep_file(find_sweep_file(name)))


@pytest.mark.parametrize("setting", settings().values(), ids=lambda setting: setting.name)
def test_a_training_setting_has_its_default_its_meaning_and_typical_values(setting):
    schema = SCHEMA.schema["properties"]["train"]["properties"][setting.name]
    assert schema["description"].startswith(setting.sentence)
    for value in (schema["default"], *map(plain, setting.typical), *setting.choices):
        assert problems(train={setting.name: value}) == []


@pytest.mark.parametrize(
    "train",
    [
        {"cell": "elman"},
        {"hidden_size": [16, 0]},
        {"hidden_size": 1.5},
        {"momentum": 1.0},
        {"lr_decay_rate": 0.0},
        {"layer_dropout": [-0.1]},
        {"clip_norm": 0},
        {"chrono_time_steps": 2},
        {"patience": 0},
        {"bidirectional": "yes"},
        {"learning_rat": 0.1},
    ],
)
def test_what_a_training_setting_refuses_the_schema_refuses(train):
    assert problems(train=train)


def test_what_a_file_may_leave_open_the_schema_leaves_open():
    assert problems(search={"objectives": [{"metric": "rmse"}]}) == []
    assert problems(train={"cell": "my_cells:MINE"}) == []
    assert problems(run={"workers": 0})

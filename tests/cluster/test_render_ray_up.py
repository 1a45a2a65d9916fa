"""The cluster file is what Ray's launcher takes; token by file, dashboard inside."""

import copy

import jsonschema
import pytest
import yaml
from ray.autoscaler._private.util import prepare_config, validate_config

from cluster.render.ray_up import render
from tests.cluster.deployments import FULL, GCP, PLAIN
from tests.cluster.golden import expect

CASES = {"plain": PLAIN, "full": FULL, "gcp": GCP}


def cluster(name):
    return yaml.safe_load(render(CASES[name]))


@pytest.mark.parametrize("name", CASES)
def test_rays_own_check_accepts_it(name):
    validate_config(prepare_config(cluster(name)))


def test_rays_own_check_finds_a_misspelt_key():
    values = copy.deepcopy(cluster("plain"))
    values["idle_timeout_minute"] = values.pop("idle_timeout_minutes")
    with pytest.raises(jsonschema.ValidationError, match="idle_timeout_minute"):
        validate_config(prepare_config(values))


@pytest.mark.parametrize("name", CASES)
def test_the_whole_file_is_the_golden_one(name):
    expect(f"ray-up-{name}.yaml", render(CASES[name]))


@pytest.mark.parametrize("name", CASES)
def test_the_token_travels_as_a_file_and_everything_demands_it(name):
    values = cluster(name)
    assert values["file_mounts"]["/home/ray/.ray/auth_token"] == "~/.ray/auth_token"
    assert "chmod 600 /home/ray/.ray/auth_token" in values["setup_commands"]
    assert "-e RAY_AUTH_MODE=token" in values["docker"]["run_options"]


@pytest.mark.parametrize("name", CASES)
def test_the_dashboard_stays_on_the_head(name):
    (start,) = [line for line in cluster(name)["head_start_ray_commands"] if "--head" in line]
    assert "--dashboard-host=127.0.0.1" in start
    assert "0.0.0.0" not in render(CASES[name])


def test_a_worker_machine_says_what_the_autoscaler_needs():
    worker = cluster("full")["available_node_types"]["worker"]
    memory = 12 * 2**30
    assert worker["resources"] == {"CPU": 4, "memory": memory, "GPU": 1, "accelerator_type:A100": 1}
    assert worker["labels"] == {"market": "spot", "zone": "a"}
    assert (worker["min_workers"], worker["max_workers"]) == (1, 3)
    assert worker["node_config"]["InstanceMarketOptions"] == {"MarketType": "spot"}
    assert "InstanceMarketOptions" not in cluster("full")["available_node_types"]["head"]


def test_the_sweep_file_and_what_it_names_are_copied():
    mounts = cluster("full")["file_mounts"]
    assert mounts["/home/ray/sweep/Load_2.yaml"] == "/home/me/load.yaml"
    assert mounts["/home/ray/sweep/files/0-load.csv"] == "/home/me/load.csv"

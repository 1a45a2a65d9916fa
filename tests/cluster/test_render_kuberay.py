"""The RayJob is what KubeRay 1.7 takes, is closed, holds no secret, and equals its golden file."""

import copy
import re
from dataclasses import replace

import jsonschema
import kubernetes_validate
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster.render.kuberay import render
from cluster.render.text import object_name
from tests.cluster.deployments import FULL, PLAIN
from tests.cluster.golden import expect
from tests.cluster.manifests import check, documents, pod_specs

CASES = {
    "plain": PLAIN,
    "full": FULL,
    "open": replace(PLAIN, kubernetes=replace(PLAIN.kubernetes, network_policy="none")),
}


def rendered(name):
    return documents(render(CASES[name]))


def job(name):
    (found,) = [document for document in rendered(name) if document["kind"] == "RayJob"]
    return found


def containers(document):
    return [each for spec in pod_specs(document) for each in spec["containers"]]


def environment(container):
    return {each["name"]: each for each in container["env"]}


@pytest.mark.parametrize("name", CASES)
def test_every_document_is_what_its_kind_allows(name):
    for document in rendered(name):
        check(document)


@pytest.mark.parametrize(
    "path",
    [
        ("spec", "backofLimit"),
        ("spec", "rayClusterSpec", "authOption"),
        ("spec", "rayClusterSpec", "headGroupSpec", "template", "spec", "container"),
        ("spec", "submitterPodTemplate", "spec", "securityContext", "runAsNonroot"),
    ],
)
def test_a_misspelt_field_does_not_pass(path):
    document = copy.deepcopy(job("plain"))
    place = document
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = {}
    with pytest.raises(jsonschema.ValidationError, match=path[-1]):
        check(document)


@pytest.mark.parametrize(
    ("key", "value"), [("mode", "tokens"), ("mode", 1), ("secretName", None), ("mod", "token")]
)
def test_a_wrong_value_of_the_token_options_does_not_pass(key, value):
    document = copy.deepcopy(job("plain"))
    document["spec"]["rayClusterSpec"]["authOptions"][key] = value
    with pytest.raises(jsonschema.ValidationError):
        check(document)


def test_a_misspelt_field_of_a_network_policy_does_not_pass():
    document = next(d for d in rendered("plain") if d["kind"] == "NetworkPolicy")
    document["spec"]["podSelectors"] = document["spec"].pop("podSelector")
    with pytest.raises(kubernetes_validate.ValidationError):
        check(document)


@pytest.mark.parametrize("name", CASES)
def test_the_whole_manifest_is_the_golden_one(name):
    expect(f"kuberay-{name}.yaml", render(CASES[name]))


@pytest.mark.parametrize("name", CASES)
def test_every_container_of_ray_demands_the_token_and_reports_nothing(name):
    cluster = job(name)["spec"]["rayClusterSpec"]
    assert cluster["authOptions"]["mode"] == "token"
    found = [*containers(job(name)), cluster["autoscalerOptions"]]
    assert len(found) == 4  # submitter, head, worker, autoscaler
    for container in found:
        variables = environment(container)
        assert variables["RAY_AUTH_MODE"]["value"] == "token"
        assert variables["RAY_USAGE_STATS_ENABLED"]["value"] == "0"


@pytest.mark.parametrize("name", CASES)
def test_nothing_runs_as_root_or_may_become_it(name):
    for spec in pod_specs(job(name)):
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["runAsUser"] > 0
        for container in spec["containers"]:
            assert container["securityContext"]["allowPrivilegeEscalation"] is False
            assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}


def test_passwords_are_references_and_only_the_head_has_them():
    for container in containers(job("full")):
        variables = environment(container)
        secrets = {
            n: e["valueFrom"]["secretKeyRef"] for n, e in variables.items() if "valueFrom" in e
        }
        if container["name"] != "ray-head":
            assert secrets == {}
        else:
            assert secrets == {
                "PGPASSWORD": {"name": "postgres", "key": "password"},
                "MLFLOW_TRACKING_USERNAME": {"name": "mlflow-user", "key": "username"},
                "MLFLOW_TRACKING_PASSWORD": {"name": "mlflow-user", "key": "password"},
            }


@pytest.mark.parametrize("name", CASES)
def test_no_variable_that_sounds_secret_has_a_value(name):
    for container in containers(job(name)):
        for variable in container["env"]:
            if re.search("PASSWORD|TOKEN|SECRET|KEY_ID", variable["name"]):
                assert "value" not in variable
    assert "Secret" not in {document["kind"] for document in rendered(name)}


@pytest.mark.parametrize("name", CASES)
def test_the_dashboard_is_reached_inside_the_cluster_only(name):
    head = job(name)["spec"]["rayClusterSpec"]["headGroupSpec"]
    assert head["serviceType"] == "ClusterIP"
    assert not head.get("enableIngress")
    text = render(CASES[name])
    assert "LoadBalancer" not in text
    assert "NodePort" not in text
    assert "hostPort" not in text
    assert "hostNetwork" not in text


def test_network_policies_let_in_the_sweeps_own_pods_and_the_operator_alone():
    policies = [d["spec"] for d in rendered("plain") if d["kind"] == "NetworkPolicy"]
    own = {"matchLabels": {"rnn-sweep/name": "load"}}
    inside, operator = policies
    assert inside["podSelector"] == own
    assert inside["ingress"] == [{"from": [{"podSelector": own}]}]
    (rule,) = operator["ingress"]
    assert [port["port"] for port in rule["ports"]] == [8265]
    assert rule["from"][0]["podSelector"]["matchLabels"] == {
        "app.kubernetes.io/name": "kuberay-operator"
    }
    labels = [spec["metadata"]["labels"] for spec in templates(job("plain"))]
    assert all(label["rnn-sweep/name"] == "load" for label in labels)


def templates(document):
    spec = document["spec"]
    cluster = spec["rayClusterSpec"]
    workers = [group["template"] for group in cluster["workerGroupSpecs"]]
    return [spec["submitterPodTemplate"], cluster["headGroupSpec"]["template"], *workers]


def test_the_operators_own_network_policy_replaces_ours():
    assert [d["kind"] for d in rendered("full")] == ["ConfigMap", "RayJob"]
    policy = job("full")["spec"]["rayClusterSpec"]["networkPolicy"]
    assert policy["mode"] == "DenyAllIngress"


def test_a_worker_pod_is_sized_for_the_workers_that_share_it():
    (group,) = job("full")["spec"]["rayClusterSpec"]["workerGroupSpecs"]
    assert (group["minReplicas"], group["maxReplicas"]) == (1, 3)  # 2 and 6 workers, 2 a pod
    limits = group["template"]["spec"]["containers"][0]["resources"]["limits"]
    # 2 × 0.5 GPU; (2 × 6 GiB + 2 for Ray) / 0.7, since Ray's store takes three tenths
    assert limits == {"cpu": "4", "memory": f"{20 * 1024}Mi", "nvidia.com/gpu": "1"}


def test_the_autoscaler_sees_at_no_pods_what_they_would_bear():
    (group,) = job("full")["spec"]["rayClusterSpec"]["workerGroupSpecs"]
    assert group["resources"] == {"accelerator_type:A100": "1"}
    assert group["labels"] == {"market": "spot", "zone": "a", "ray.io/accelerator-type": "A100"}


def test_the_sweep_file_and_its_functions_travel_in_the_manifest():
    config, *_ = rendered("full")
    assert config["data"] == {"Load_2.yaml": FULL.sweep, "own.py": FULL.files["own.py"]}
    name = config["metadata"]["name"]
    for spec in pod_specs(job("full")["spec"]["rayClusterSpec"]):
        volumes = {volume["name"]: volume for volume in spec["volumes"]}
        assert volumes["sweep"]["configMap"]["name"] == name
        mounted = {mount["name"] for mount in spec["containers"][0]["volumeMounts"]}
        assert mounted == set(volumes)


def test_a_sweep_that_no_config_map_holds_is_refused_with_its_size():
    with pytest.raises(ValueError, match="must fit a ConfigMap of 900,000 bytes, but take 1,0"):
        render(replace(PLAIN, files={"own.py": "#" * 1_000_000}))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("load-2", "load-2"),
        ("Load_2", "load-2-bb488c"),
        ("3x", "sweep-3x-35e93e"),
        ("..", "sweep-5ec1f7"),
        ("a" * 60, "a" * 40 + "-11ee39"),
    ],
)
def test_any_sweeps_name_becomes_one_that_kuberay_takes(name, expected):
    (found,) = [d for d in documents(render(replace(PLAIN, name=name))) if d["kind"] == "RayJob"]
    assert found["metadata"]["name"] == expected


@given(st.lists(st.from_regex(r"[A-Za-z0-9._-]{1,60}", fullmatch=True), min_size=2, unique=True))
def test_two_sweeps_never_share_a_name(names):
    found = {object_name(name, 47) for name in names}
    assert len(found) == len(names)
    assert all(re.fullmatch(r"[a-z]([a-z0-9-]{0,45}[a-z0-9])?", name) for name in found)


@pytest.mark.parametrize("label", [{"a b": "c"}, {"a": "b c"}, {"a": "x" * 64}, {"-a": "b"}])
def test_a_label_that_no_node_can_bear_is_refused(label):
    workers = replace(PLAIN.workers, labels=label)
    with pytest.raises(ValueError, match="must be labels as Kubernetes has them"):
        render(replace(PLAIN, workers=workers))


@pytest.mark.parametrize("name", CASES)
def test_what_kuberay_checks_beyond_its_schema_holds(name):
    """Laws of KubeRay 1.7's operator, which a schema can't say."""
    spec = job(name)["spec"]
    cluster = spec["rayClusterSpec"]
    assert tuple(map(int, cluster["rayVersion"].split("."))) >= (2, 52, 0)  # for the token
    assert spec["backoffLimit"] >= 0
    assert spec["activeDeadlineSeconds"] > 0
    for group in (cluster["headGroupSpec"], *cluster["workerGroupSpecs"]):
        assert "labels" not in group["rayStartParams"]
        assert not (group.get("resources") and group["rayStartParams"])
        # Never or unset with the autoscaler v2.
        assert "restartPolicy" not in group["template"]["spec"]
        (container,) = group["template"]["spec"]["containers"]
        managed = {"RAY_REDIS_ADDRESS", "REDIS_PASSWORD", "RAY_enable_autoscaler_v2"}
        assert not managed & set(environment(container))
    for group in cluster["workerGroupSpecs"]:
        assert 0 <= group["minReplicas"] <= group["maxReplicas"]

"""The example of the whole: valid, closed, no secrets, and its parts know each other by name."""

import re
from importlib.util import find_spec
from pathlib import Path

import pytest
import yaml

from sweep.__main__ import main
from tests.cluster.manifests import check, documents, pod_specs

FOLDER = Path(__file__).parents[2] / "cluster" / "examples" / "kubernetes"
README = (FOLDER / "README.md").read_text()
FILES = [path.name for path in sorted(FOLDER.glob("*.yaml")) if path.name != "load.yaml"]
PARTS = [document for name in FILES for document in documents((FOLDER / name).read_text())]


@pytest.fixture(scope="module")
def sweep_job(tmp_path_factory):
    path = tmp_path_factory.mktemp("rendered") / "load-job.yaml"
    assert main(["render", "kuberay", str(FOLDER / "load.yaml"), "--output", str(path)]) == 0
    return documents(path.read_text())


@pytest.fixture(scope="module")
def whole(sweep_job):
    return [*PARTS, *sweep_job]


def of_kind(parts, kind):
    return {part["metadata"]["name"]: part for part in parts if part["kind"] == kind}


def containers(parts):
    for spec in pod_specs(parts):
        yield from [*spec.get("initContainers", []), *spec["containers"]]


def test_every_document_is_what_its_kind_allows(whole):
    for document in whole:
        check(document)


def test_the_sweep_needs_no_notes(capsys):
    assert main(["render", "kuberay", str(FOLDER / "load.yaml")]) == 0
    assert capsys.readouterr().err == ""


def test_no_file_holds_a_secret(whole):
    assert "Secret" not in of_kind(whole, "Secret")
    assert not [part for part in whole if part["kind"] == "Secret"]
    for container in containers(whole):
        for variable in container.get("env", []):
            if re.search("PASSWORD|TOKEN|SECRET|ACCESS_KEY|ROOT_USER", variable["name"]):
                assert set(variable) == {"name", "valueFrom"}
                assert set(variable["valueFrom"]) == {"secretKeyRef"}


def test_every_secret_is_made_by_a_command_of_the_readme(whole):
    made = {
        (name, key)
        for name, literals in re.findall(r"^secret (\S+) (.*)$", README, re.MULTILINE)
        for key in re.findall(r"--from-literal=([a-z_-]+)=", literals)
    }
    named = {
        (reference["name"], reference["key"])
        for container in containers(whole)
        for variable in container.get("env", [])
        if (reference := variable.get("valueFrom", {}).get("secretKeyRef"))
    }
    assert named | {("ray-token", "auth_token")} == made
    (job,) = of_kind(whole, "RayJob").values()
    assert job["spec"]["rayClusterSpec"]["authOptions"]["secretName"] == "ray-token"


def test_nothing_is_reachable_from_outside(whole):
    for service in of_kind(whole, "Service").values():
        assert service["spec"].get("type", "ClusterIP") == "ClusterIP"
    assert not of_kind(whole, "Ingress")
    nobody = of_kind(whole, "NetworkPolicy")["nobody"]["spec"]
    assert nobody == {"podSelector": {}, "policyTypes": ["Ingress"]}
    for policy in of_kind(whole, "NetworkPolicy").values():
        for rule in policy["spec"].get("ingress", []):
            assert rule["from"]


def test_no_pod_runs_as_root_or_may_become_it(whole):
    for spec in pod_specs(whole):
        assert spec["securityContext"]["runAsNonRoot"] is True
    for container in containers(whole):
        assert container["securityContext"]["allowPrivilegeEscalation"] is False
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}


def test_every_image_names_its_version(whole):
    for container in containers(whole):
        assert re.fullmatch(r"[a-z/-]+:[\w.-]*\d[\w.-]*", container["image"])


def test_everything_is_in_the_namespace_of_the_sweeps(whole):
    for part in whole:
        place = part["metadata"].get("namespace", part["metadata"]["name"])
        assert place == "sweeps"


def test_the_sweep_finds_its_log_its_record_and_its_disk(whole):
    values = yaml.safe_load((FOLDER / "load.yaml").read_text())
    services = of_kind(whole, "Service")
    assert re.search("@(.*)/", values["run"]["log"]).group(1) in services
    host, port = re.search("//(.*):([0-9]+)$", values["tracking"]["uri"]).groups()
    assert services[host]["spec"]["ports"][0]["port"] == int(port)
    claim = values["cluster"]["deploy"]["kubernetes"]["claim"]
    assert claim in of_kind(whole, "PersistentVolumeClaim")


def test_policies_let_the_head_to_its_log_and_record_and_mlflow_to_its_stores(whole):
    policies = of_kind(whole, "NetworkPolicy")
    (job,) = of_kind(whole, "RayJob").values()
    head = job["spec"]["rayClusterSpec"]["headGroupSpec"]["template"]["metadata"]["labels"]
    mlflow = {"app": "mlflow"}
    # KubeRay adds the type; the rest must stand in the template.
    assert admitted(policies["postgres"], head | {"ray.io/node-type": "head"})
    assert admitted(policies["mlflow"], head | {"ray.io/node-type": "head"})
    assert not admitted(policies["postgres"], head | {"ray.io/node-type": "worker"})
    assert admitted(policies["postgres"], mlflow)
    assert admitted(policies["objects"], mlflow)
    assert not admitted(policies["objects"], head | {"ray.io/node-type": "head"})


def admitted(policy, labels):
    peers = [peer["podSelector"] for rule in policy["spec"]["ingress"] for peer in rule["from"]]
    return any(
        all(labels.get(key) == value for key, value in peer.get("matchLabels", {}).items())
        and all(each["key"] in labels for each in peer.get("matchExpressions", []))
        for peer in peers
    )


def test_every_selector_finds_its_pods():
    for part in PARTS:
        if part["kind"] in ("StatefulSet", "Deployment"):
            labels = part["spec"]["template"]["metadata"]["labels"]
            assert part["spec"]["selector"]["matchLabels"] == labels
            service = of_kind(PARTS, "Service")[part["metadata"]["name"]]
            assert service["spec"]["selector"] == labels
            ports = {p["containerPort"] for c in containers(part) for p in c.get("ports", [])}
            assert {port["port"] for port in service["spec"]["ports"]} == ports


def test_mlflows_server_takes_its_options_and_the_hosts_it_is_called_by():
    package = Path(find_spec("mlflow").origin).parent  # importing it would take seconds
    known = "".join(
        (package / name).read_text() for name in ("cli/__init__.py", "utils/cli_args.py")
    )
    (server,) = [c for c in containers(PARTS) if c["name"] == "mlflow"]
    words = server["command"][2:]
    assert [w for w in words if f'"{w.partition("=")[0]}"' not in known] == []
    hosts = next(word for word in words if word.startswith("--allowed-hosts="))
    assert "mlflow:5000" in hosts.partition("=")[2].split(",")
    assert "--app-name=basic-auth" in words


def test_every_file_that_the_readme_applies_exists():
    named = re.findall(r"cluster/examples/kubernetes/([a-z.]+)", README)
    assert set(named) == {*FILES, "load.yaml"}

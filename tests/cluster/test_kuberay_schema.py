"""Our page of KubeRay's fields against a real CRD, where RNN_SWEEP_KUBERAY_CRDS names its folder.

kubectl get crd rayjobs.ray.io -o yaml > crds/rayjobs.yaml
RNN_SWEEP_KUBERAY_CRDS=crds python -m pytest tests/cluster/test_kuberay_schema.py
"""

import os
from pathlib import Path

import jsonschema
import pytest
import yaml

from cluster.render.kuberay import render
from tests.cluster.deployments import FULL, PLAIN
from tests.cluster.manifests import documents, notation

FOLDER = os.environ.get("RNN_SWEEP_KUBERAY_CRDS")
pytestmark = pytest.mark.skipif(FOLDER is None, reason="RNN_SWEEP_KUBERAY_CRDS names no folder")


@pytest.fixture(scope="module")
def crd():
    text = (Path(FOLDER) / "rayjobs.yaml").read_text()
    found = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    (version,) = [v for v in found["spec"]["versions"] if v["name"] == "v1"]
    return version["schema"]["openAPIV3Schema"]


def strict(schema):
    """Return a CRD's schema in which unknown fields fail, as `kubectl apply` has it."""
    found = dict(schema)
    if found.get("x-kubernetes-int-or-string"):
        return {"type": ["integer", "string"]}
    if "properties" in found:
        found["properties"] = {name: strict(inner) for name, inner in found["properties"].items()}
        found.setdefault("additionalProperties", False)
    if isinstance(found.get("additionalProperties"), dict):
        found["additionalProperties"] = strict(found["additionalProperties"])
    if "items" in found:
        found["items"] = strict(found["items"])
    return found


@pytest.mark.parametrize("deployment", [PLAIN, FULL], ids=["plain", "full"])
def test_the_job_is_what_the_real_crd_allows(crd, deployment):
    (job,) = [d for d in documents(render(deployment)) if d["kind"] == "RayJob"]
    job["metadata"] = {}  # of Kubernetes, and not spelled out in a CRD
    root = dict(crd, properties=dict(crd["properties"], metadata={"type": "object"}))
    jsonschema.Draft202012Validator(strict(root)).validate(job)
    job["spec"]["backofLimit"] = 1
    with pytest.raises(jsonschema.ValidationError, match="backofLimit"):
        jsonschema.Draft202012Validator(strict(root)).validate(job)


def test_our_page_names_the_fields_of_the_real_crd_and_no_others(crd):
    compare("RayJobSpec", crd["properties"]["spec"], notation())


def compare(name, real, page):
    fields = {field.rstrip("!"): text for field, text in page[name].items()}
    assert set(fields) == set(real["properties"]), name
    assert {f.rstrip("!") for f in page[name] if f.endswith("!")} == set(real.get("required", []))
    for field, text in fields.items():
        inner = real["properties"][field]
        if isinstance(text, list):
            assert sorted(text) == sorted(inner["enum"]), (name, field)
            continue
        word, _, rest = text.partition(" ")
        if word == "list":
            assert inner["type"] == "array", (name, field)
            word, inner = rest.partition(" ")[0], inner["items"]
        if word in page:
            compare(word, inner, page)
        elif word not in ("k8s", "map"):
            assert inner["type"] == word, (name, field)

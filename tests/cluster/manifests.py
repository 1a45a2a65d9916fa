"""Hold manifests against schemas: ours of KubeRay's fields, Kubernetes' own for everything else."""

import json
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import yaml

KUBERNETES = "1.37"
NOTATION = Path(__file__).parent / "schemas" / "kuberay.yaml"
_K8S = {
    "core": "io.k8s.api.core.v1",
    "meta": "io.k8s.apimachinery.pkg.apis.meta.v1",
    "networking": "io.k8s.api.networking.v1",
}


def check(document: dict[str, Any]) -> None:
    """Raise where a document breaks its kind's schema; unknown fields do."""
    if document["apiVersion"] == "ray.io/v1":
        assert document["kind"] == "RayJob"
        validator().validate(document)
    else:
        kubernetes_validate.validate(document, KUBERNETES, strict=True)


def documents(text: str) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all(text))


def pod_specs(value: Any) -> Iterator[dict[str, Any]]:
    """Yield every pod's spec in a document."""
    if isinstance(value, dict):
        if isinstance(value.get("containers"), list):
            yield value
        for inner in value.values():
            yield from pod_specs(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from pod_specs(inner)


def notation() -> dict[str, dict[str, Any]]:
    # BaseLoader: `None` and `v1` are words here.
    return yaml.load(NOTATION.read_text(), Loader=yaml.BaseLoader)


@cache
def validator() -> jsonschema.Draft202012Validator:
    folder = (
        files("kubernetes_validate") / "kubernetes-json-schema" / f"v{KUBERNETES}.0-local-strict"
    )
    definitions = json.loads((folder / "_definitions.json").read_text())["$defs"]
    own = {name: _object(fields) for name, fields in notation().items()}
    schema = {"$ref": "#/$defs/RayJob", "$defs": definitions | own}
    return jsonschema.Draft202012Validator(schema)


def _object(fields: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {name.rstrip("!"): _type(text) for name, text in fields.items()},
        "required": [name.rstrip("!") for name in fields if name.endswith("!")],
        "additionalProperties": False,
    }


def _type(text: Any) -> dict[str, Any]:
    if isinstance(text, list):
        return {"enum": text}
    head, _, rest = text.partition(" ")
    match head:
        case "list":
            return {"type": "array", "items": _type(rest)}
        case "map":
            return {"type": "object", "additionalProperties": _type(rest)}
        case "k8s":
            group, name = rest.split()
            return {"$ref": f"#/$defs/{_K8S[group]}.{name}"}
        case "string" | "integer" | "number" | "boolean" | "object":
            return {"type": head}
        case _:
            return {"$ref": f"#/$defs/{head}"}

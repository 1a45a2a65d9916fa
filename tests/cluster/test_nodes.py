"""What fits where, by what nodes say of themselves."""

import pytest

from cluster import nodes
from cluster.errors import NoRoom
from cluster.nodes import Needs, Node, check_room

GIB = 2**30
SMALL = Node("a", "10.0.0.1", {"CPU": 4.0, "memory": 8.0 * GIB}, {"market": "spot"})
GPUS = Node(
    "b",
    "10.0.0.2",
    {"CPU": 16.0, "GPU": 2.0, "memory": 64.0 * GIB, "accelerator_type:A100": 1.0},
    {"market": "on-demand", "ray.io/node-id": "b"},
)


@pytest.mark.parametrize(
    ("needs", "small", "gpus"),
    [
        (Needs(cpus=1), 4, 16),
        (Needs(cpus=3), 1, 5),
        (Needs(cpus=1, memory_bytes=3 * GIB), 2, 16),
        (Needs(cpus=1, gpus=1), 0, 2),
        (Needs(cpus=1, gpus=0.5), 0, 4),
        (Needs(cpus=1, gpus=1, accelerator="A100"), 0, 2),
        (Needs(cpus=1, accelerator="H100"), 0, 0),
        (Needs(labels={"market": "spot"}), 4, 0),
        (Needs(labels={"market": "!spot"}), 0, 16),
        (Needs(labels={"market": "in(spot, on-demand)"}), 4, 16),
        (Needs(labels={"zone": "x"}), 0, 0),
    ],
)
def test_how_many_workers_a_node_holds(needs, small, gpus):
    assert (SMALL.holds(needs), GPUS.holds(needs)) == (small, gpus)


def test_a_cluster_that_can_never_fit_a_worker_is_refused_with_what_is_asked_and_what_exists(
    monkeypatch,
):
    monkeypatch.setattr(nodes, "nodes", lambda: [SMALL, GPUS])
    monkeypatch.setattr(nodes, "autoscales", lambda: False)
    check_room(Needs(gpus=2))
    with pytest.raises(NoRoom) as caught:
        check_room(Needs(cpus=2, gpus=4, memory_bytes=GIB, labels={"market": "spot"}))
    assert str(caught.value) == (
        "a worker needs 2 CPU, 4 GPU, 1 GiB memory, label market=spot, which no node of the "
        "cluster can ever hold; there are: 10.0.0.1 (4 CPU, 0 GPU, 8 GiB, market=spot); 10.0.0.2 "
        "(16 CPU, 2 GPU, 64 GiB, A100, market=on-demand); change cluster.cpus, gpus, memory_gib, "
        "accelerator or labels, or name another --address."
    )


def test_what_a_worker_reserves_is_what_ray_is_asked_for():
    needs = Needs(2, 0.5, GIB, "A100", {"market": "spot"})
    assert needs.options() == {
        "num_cpus": 2,
        "num_gpus": 0.5,
        "memory": GIB,
        "accelerator_type": "A100",
        "label_selector": {"market": "spot"},
    }
    assert needs.bundle() == {
        "CPU": 2.0,
        "GPU": 0.5,
        "memory": float(GIB),
        "accelerator_type:A100": 0.001,
    }

import socket

import pytest

from cluster.connect import connect, disconnect
from cluster.errors import AccessError, ConnectError
from cluster.head import Head, Versions
from tests.cluster.jobs_server import JobsServer, serving


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_an_address_where_nobody_listens_is_one_clear_line_within_seconds():
    address = f"127.0.0.1:{free_port()}"
    with pytest.raises(ConnectError, match=f"must answer at --address {address}, but: .*refused"):
        connect(address, cpus=1, data_bytes=0)


@pytest.mark.parametrize(
    "address",
    ["", "here", "10.0.0.1", "10.0.0.1:", ":6379", "10.0.0.1:70000", "http://127.0.0.1:8265",
     "ray://127.0.0.1:10001", "me:secret@10.0.0.1:port"],
)  # fmt: skip
def test_a_malformed_address_is_one_clear_line(address):
    with pytest.raises(ConnectError, match="--address must be auto or a head's HOST:PORT, but got"):
        connect(address, cpus=1, data_bytes=0)


@pytest.mark.parametrize(
    ("running", "says"),
    [(set(), "there is none; start one"), ({"a:1", "b:2"}, "there are several; name one by its")],
)
def test_auto_needs_one_cluster_on_this_machine(monkeypatch, running, says):
    from ray._private import services

    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.setattr(services, "get_ray_address_from_environment", lambda *_: None)
    found = lambda: running  # noqa: E731
    found.cache_clear = lambda: None
    monkeypatch.setattr(services, "find_gcs_addresses", found)
    with pytest.raises(ConnectError, match=says):
        connect("auto", cpus=1, data_bytes=0)


def test_auto_counts_by_the_address_that_it_finds(monkeypatch):
    monkeypatch.setenv("RAY_ADDRESS", "192.0.2.77:6379")
    monkeypatch.setattr("cluster.connect.find_token", lambda: None)
    monkeypatch.delenv("RNN_SWEEP_ALLOW_OPEN_CLUSTER", raising=False)
    with pytest.raises(AccessError, match=r"for 192.0.2.77:6379 there is none"):
        connect("auto", cpus=1, data_bytes=0)


def test_what_listens_there_must_be_a_head(monkeypatch):
    monkeypatch.setenv("RAY_AUTH_TOKEN", "token")
    with serving(JobsServer()) as url, pytest.raises(ConnectError, match="does not speak as one"):
        connect(url.removeprefix("http://"), cpus=1, data_bytes=0)


def test_a_driver_needs_a_node_of_the_cluster_on_its_machine(monkeypatch):
    ours = Head(is_open=True, token_fits=True, versions=Versions.ours())
    monkeypatch.setattr("cluster.connect.ask_head", lambda *_: ours)
    monkeypatch.setattr("ray._private.services.find_node_ids", list)
    with serving(JobsServer()) as url, pytest.raises(ConnectError, match="must be a node of the"):
        connect(url.removeprefix("http://"), cpus=1, data_bytes=0)


@pytest.mark.integration
def test_a_local_ray_has_the_cores_and_the_store_that_were_asked_for():
    import ray

    connect(None, cpus=2, data_bytes=10 * 2**20)
    try:
        resources = ray.cluster_resources()
        assert resources["CPU"] == 2
        assert resources["object_store_memory"] >= 2 * 10 * 2**20
        assert ray.get_runtime_context().namespace == "rnn-sweep"
    finally:
        disconnect()
    assert not ray.is_initialized()


class SlowMachine:
    """Stands for a machine so busy that Ray is not ready in time, `failures` times."""

    def __init__(self, failures, message="The current node timed out during startup."):
        self.failures, self.message, self.starts = failures, message, 0

    def init(self, **options):
        self.starts += 1
        if self.starts <= self.failures:
            raise Exception(self.message)


@pytest.mark.parametrize(("failures", "starts"), [(0, 1), (2, 3)])
def test_a_busy_machine_gets_another_try(monkeypatch, failures, starts):
    machine = SlowMachine(failures)
    monkeypatch.setattr("ray.init", machine.init)
    connect(None, cpus=1, data_bytes=0)
    assert machine.starts == starts


def test_a_machine_where_ray_never_gets_ready_is_one_clear_line(monkeypatch):
    machine = SlowMachine(99)
    monkeypatch.setattr("ray.init", machine.init)
    with pytest.raises(ConnectError, match="Ray must start on this machine, but 3 times"):
        connect(None, cpus=1, data_bytes=0)


def test_another_failure_of_ray_is_not_tried_again(monkeypatch):
    machine = SlowMachine(99, "no such option")
    monkeypatch.setattr("ray.init", machine.init)
    with pytest.raises(Exception, match="no such option"):
        connect(None, cpus=1, data_bytes=0)
    assert machine.starts == 1

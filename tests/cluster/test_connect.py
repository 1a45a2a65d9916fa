import socket

import pytest

from cluster.connect import connect, disconnect
from cluster.errors import ConnectError


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_an_address_where_nobody_listens_is_one_clear_line_within_seconds():
    address = f"127.0.0.1:{free_port()}"
    with pytest.raises(ConnectError, match=f"must answer at --address {address}, but: .*refused"):
        connect(address, cpus=1, data_bytes=0)


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

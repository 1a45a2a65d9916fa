"""What can go wrong between us and a cluster.

ClusterError
├── ConnectError   no Ray at the address, or it can't be joined (user's mistake, or network)
├── NoRoom         no node of the cluster can ever hold a worker
└── HeadLost       the head of the cluster has gone while we worked; it may come back
"""


class ClusterError(Exception):
    """Base of every error that `cluster` raises on purpose."""


class ConnectError(ClusterError):
    """No Ray cluster answers at the address, or it refuses us."""


class NoRoom(ClusterError):
    """No node of the cluster can ever hold a worker; says what is asked and what exists."""


class HeadLost(ClusterError):
    """The head of the cluster does not answer any more; `address` is where it did."""

    def __init__(self, address: str) -> None:
        super().__init__(f"the head of the Ray cluster at {address} does not answer any more")
        self.address = address

"""What can go wrong between us and a cluster.

ClusterError
├── ConnectError     no Ray at the address, or it can't be joined (user's mistake, or network)
│   ├── AccessError  no token or a wrong one, or a cluster that lets everybody in
│   └── VersionError the cluster runs another Ray or Python
├── NoRoom           no node of the cluster can ever hold a worker
├── HeadLost         the head of the cluster has gone while we worked; it may come back
├── PackageError     what can't be sent to the cluster
└── JobError         the cluster does not run the job, or knows none of that name
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


class AccessError(ConnectError):
    """There is no token or a wrong one, or the cluster lets everybody in."""


class VersionError(ConnectError):
    """The cluster runs another Ray or Python."""


class PackageError(ClusterError):
    """What a sweep needs can't be sent to the cluster."""


class JobError(ClusterError):
    """The cluster does not run a job, or knows none of that name."""

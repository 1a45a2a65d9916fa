"""What can go wrong between us and a cluster.

ClusterError
└── ConnectError   no Ray at the address, or it can't be joined (user's mistake, or network)
"""


class ClusterError(Exception):
    """Base of every error that `cluster` raises on purpose."""


class ConnectError(ClusterError):
    """No Ray cluster answers at the address, or it refuses us."""

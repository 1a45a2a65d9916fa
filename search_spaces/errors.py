"""What can go wrong in a search space.

SpaceError                 base; always the user's mistake
├── DimensionError         one dimension breaks a law (low > high, log of zero, no choices)
├── UnknownSpaceError      no ready space, file or function of that name
└── UnenumerableSpaceError a grid was asked of a space that has no finite number of points
"""


class SpaceError(Exception):
    """Base of every error that `search_spaces` raises on purpose."""


class DimensionError(SpaceError):
    """One dimension breaks a law; the message states law, value and way out."""


class UnknownSpaceError(SpaceError):
    """No ready space, file or function has that name."""


class UnenumerableSpaceError(SpaceError):
    """A grid was asked of a space that has no finite number of points."""

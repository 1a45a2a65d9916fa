"""What an event says: one frozen class a kind, which is the place where it is described.

A field's name is its key in the stored JSON. A field without default stands in every line. One
with a default is left out where it has it; only those marked STORED are not: they are absent in the
first logs alone. A class's `version` rises when the meaning of its keys changes; it is stored, as a
key of its own, where it is above 1.
"""

from __future__ import annotations

from typing import get_args

from sweep.log.kinds_of_sweep import (
    Baselined,
    Closed,
    DataFacts,
    Ensembled,
    Opened,
    PartFacts,
    Resized,
    SpaceFacts,
    Warmed,
)
from sweep.log.kinds_of_trial import (
    Asked,
    Checkpointed,
    Completed,
    Continued,
    Evaluated,
    Failed,
    Lost,
    Paused,
    Pruned,
    Recalled,
    Reported,
    Started,
)

__all__ = [
    "KINDS",
    "Asked",
    "Baselined",
    "Checkpointed",
    "Closed",
    "Completed",
    "Continued",
    "DataFacts",
    "End",
    "Ensembled",
    "Evaluated",
    "Failed",
    "Lost",
    "Opened",
    "PartFacts",
    "Paused",
    "Pruned",
    "Recalled",
    "Reported",
    "Resized",
    "SpaceFacts",
    "Started",
    "Warmed",
    "What",
]

What = (
    Opened
    | Resized
    | Warmed
    | Closed
    | Baselined
    | Asked
    | Started
    | Reported
    | Checkpointed
    | Continued
    | Recalled
    | Paused
    | Pruned
    | Completed
    | Failed
    | Lost
    | Evaluated
    | Ensembled
)
End = Completed | Pruned | Failed
"""What ends a trial for good."""

KINDS: dict[str, type[What]] = {kind.__name__.lower(): kind for kind in get_args(What)}
"""The kinds by their names in the log."""

"""A sweep's log in the hands of its one coordinator, and what is folded from it.

Decide, then act: whatever is recorded here stands in the log before anybody acts on it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from sweep.config.identity import difference, identity
from sweep.config.sweep_config import SweepConfig
from sweep.errors import ConfigMismatch
from sweep.history.state import SweepState, TrialState, load_state
from sweep.log.checkpoints import checkpoint_path
from sweep.log.event import Event
from sweep.log.event_log import EventLog
from sweep.log.kinds import Asked
from sweep.log.lease import Lease
from sweep.log.places import adopt, create_log, has_log, probe
from sweep.running.preparation import Prepared
from sweep.running.provenance import earlier_code


@dataclass
class Journal:
    """The log under its lease.

    Attributes:
        folder: The sweep's folder.
        state: All events, folded, once `fold` was called.
    """

    folder: Path
    log: EventLog
    lease: Lease
    state: SweepState = field(default_factory=SweepState)

    def fold(self, prepared: Prepared) -> None:
        """Fold what stands in the log.

        Raises:
            ConfigMismatch: the sweep began with other data.
        """
        self.state = load_state(self.log, objective=prepared.goal.leading, keep_reports=False)
        first = self.state.first_opened
        digest = prepared.choices.digest
        if first is not None and first.data.digest != digest:
            raise ConfigMismatch(
                f"a resumed sweep needs the data it began with (digest {first.data.digest[:12]}), "
                f"but these have digest {digest[:12]}; restore the data{earlier_code(first)}, or "
                "give this sweep another --name."
            )

    def record(
        self, events: Sequence[Event], after: Callable[[Event, TrialState], None] | None = None
    ) -> None:
        """Append events, then fold them.

        Args:
            after: Called with each trial's event as soon as it is folded.

        Raises:
            LeaseLost: another coordinator took the sweep over; nothing was written.
        """
        if not events:
            return
        self.log.append(events, self.lease.fence)
        seq = self.state.seq
        for offset, event in enumerate(events, start=1):
            self.state.apply(replace(event, seq=seq + offset))
            if after is not None and event.trial is not None:
                after(event, self.state.trials[event.trial])

    def still_ours(self) -> None:
        """Make sure that no other coordinator has taken the sweep over.

        Raises:
            LeaseLost: one has.
        """
        self.log.still_ours(self.lease.fence)

    def stop_requested(self) -> bool:
        """Return whether somebody has asked this coordinator to save and end."""
        return self.log.stop_requested(self.lease.fence)

    def asked_config(self, number: int) -> dict[str, Any]:
        """Return the settings that a trial was asked with; of one that has ended the log knows."""
        asked = (event.what for event in self.log.read(trial=number))
        return next(what.config for what in asked if isinstance(what, Asked))

    def has_checkpoint(self, number: int) -> bool:
        """Return whether a trial's weights are still on disk; they may have gone with a disk."""
        recorded = self.state.trials[number].checkpoint
        return recorded is not None and checkpoint_path(self.folder, recorded).is_file()


def reopen(config: SweepConfig, folder: Path, stack: ExitStack) -> Journal | None:
    """Claim the sweep's log where there is one; None where the sweep is new.

    Raises:
        ConfigMismatch: the log belongs to another configuration.
        LogError: a new log could not be made where it is to lie.
    """
    if not has_log(folder):
        probe(folder, config)
        return None
    return claim(config, folder, stack)


def claim(config: SweepConfig, folder: Path, stack: ExitStack) -> Journal:
    """Open or create the log and take its lease, until `stack` ends.

    A coordinator may be killed between any two steps of this, and a second one may do the same at
    the same time: whatever is missing is made, whatever is there is checked.

    Raises:
        ConfigMismatch: the log belongs to another configuration.
        LeaseHeld: another coordinator runs this sweep now.
    """
    folder.mkdir(parents=True, exist_ok=True)
    log = create_log(folder, config)
    stack.callback(log.close)
    journal = Journal(folder, log, stack.enter_context(Lease.acquire(log, folder)))
    recorded = adopt(log, folder, config.model_dump(mode="json"))
    if recorded is None:
        return journal
    changed = difference(identity(recorded), identity(config))
    if changed:
        raise ConfigMismatch(
            f"{folder} belongs to another configuration ({'; '.join(changed)}); resume with the "
            "old one, or give this sweep another --name."
        )
    log.replace_config(config.model_dump(mode="json"))
    return journal

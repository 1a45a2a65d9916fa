"""The sweep's page in MLflow: a note and files, made from the log when the sweep closes.

While it runs the page is made anew now and then. It only ever follows the record: no metric waits
for a picture, and where a page can't be made or stored, one line says so and the next
`rnn-sweep sync` tries again. Up to which event the page tells is committed to the log, like the
sink's own offset.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from sweep.errors import RunGone, TrackerUnavailable
from sweep.history.ledger import Ledger, ledger_of
from sweep.log.event_log import EventLog

if TYPE_CHECKING:
    from sweep.results.results import Results
    from sweep.tracking.tracker import Tracker

_INTERVAL_SECONDS = 300.0
_COST_FACTOR = 50.0  # at most a fiftieth of the sink's time goes into pages of a running sweep


class Summary:
    """Makes and stores one sweep's page.

    Args:
        folder: The sweep's folder.
        log: Its log.
        sink: The name of the sink's offset.
        notify: Takes one line when a page can't be made or stored.
        wanted: With False every method but `forget` does nothing.
    """

    def __init__(
        self,
        folder: Path,
        log: EventLog,
        sink: str,
        notify: Callable[[str], None],
        *,
        wanted: bool = True,
    ) -> None:
        """Make nothing yet."""
        self._folder = folder
        self._log = log
        self._offset = f"{sink}:page"
        self._notify = notify
        self._wanted = wanted
        self._due = time.monotonic() + _INTERVAL_SECONDS

    def forget(self) -> None:
        """Make the page again at the end: its store is empty."""
        self._log.set_offset(self._offset, 0)

    def refresh(self, tracker: Tracker) -> None:
        """Make the page of a running sweep, if the last one is old enough."""
        began = time.monotonic()
        if began < self._due or not self._wanted:
            return
        self._make(tracker)
        now = time.monotonic()
        self._due = now + max(_INTERVAL_SECONDS, _COST_FACTOR * (now - began))

    def finish(self, tracker: Tracker, seq: int) -> None:
        """Make the page of a sweep whose record is whole up to event `seq`, once."""
        due = self._wanted and self._log.offset(self._offset) != seq
        if due and self._make(tracker):
            self._log.set_offset(self._offset, seq)

    def _make(self, tracker: Tracker) -> bool:
        try:
            self._store(tracker)
        except RunGone:
            return True  # told when its metrics were written
        except TrackerUnavailable as error:
            self._notify(f"tracking: plots and tables are not stored: {error}.")
            return False
        except Exception as error:  # a picture must not stand in the record's way
            said = str(error).partition("\n")[0] or type(error).__name__
            self._notify(f"tracking: plots and tables could not be made: {said}")
            return False
        return True

    def _store(self, tracker: Tracker) -> None:
        from sweep.results.optuna_trials import importances  # seconds of imports, and nobody waits
        from sweep.results.results import open_results
        from sweep.tracking.summary_files import summary_files
        from sweep.tracking.summary_note import note
        from sweep.tracking.view import saved_view

        results: Results = open_results(self._folder)
        ledger: Ledger = ledger_of(self._log.read())
        shares = importances(results)
        uid = self._log.uid()
        tracker.save_view(*saved_view(results, uid))
        tracker.finish(
            uid,
            summary_files(results, ledger, shares),
            note(results, ledger, shares),
        )

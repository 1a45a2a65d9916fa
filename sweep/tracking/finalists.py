"""When a sweep has ended: its finalists' models to MLflow, the best one to the registry.

Part of the sink, in its process: training never waits for it. The offset is committed after it, so
a sink that dies in between does it again, and what is there is left as it is.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from sweep.config.sweep_config import SweepConfig
from sweep.errors import ModelNotLogged
from sweep.history.state import load_state
from sweep.log.event_log import EventLog
from sweep.models.champions import Finalist, finalists_of

if TYPE_CHECKING:
    from sweep.models.recorder import ModelRecorder


class FinalistModels:
    """Logs and registers one sweep's finalists, each once.

    Args:
        folder: The sweep's folder.
        log: Its log.
        uri: MLflow tracking URI.
        experiment: Where the sweep's runs lie.
        notify: Takes one line for each model that can't be logged, and for the champion.
    """

    def __init__(
        self, folder: Path, log: EventLog, uri: str, experiment: str, notify: Callable[[str], None]
    ) -> None:
        self._folder = folder
        self._log = log
        self._uri = uri
        self._experiment = experiment
        self._notify = notify

    def write(self, persist: Callable[[Callable[[], str]], str]) -> None:
        """Log what the log, as it is now, calls finalists; nothing while the sweep goes on.

        Args:
            persist: Calls MLflow until it answers.

        Raises:
            GaveUp: MLflow stayed away.
        """
        config = SweepConfig.model_validate(self._log.config())
        if not config.tracking.models:
            return
        finalists = finalists_of(load_state(self._log, keep_reports=False), config)
        if not finalists:
            return
        recorder = self._recorder()
        ids = {f.uid: self._tried(persist, partial(recorder.log, f)) for f in finalists}
        name = config.tracking.register_as
        if name is not None:
            self._register(persist, recorder, finalists[0], ids[finalists[0].uid], name)

    def _register(
        self,
        persist: Callable[[Callable[[], str]], str],
        recorder: ModelRecorder,
        best: Finalist,
        model_id: str | None,
        name: str,
    ) -> None:
        if model_id is None:
            return
        line = self._tried(persist, lambda: recorder.register(best, model_id, name))
        if line is not None:
            self._notify(f"registry: {line}.")

    def _tried(
        self, persist: Callable[[Callable[[], str]], str], action: Callable[[], str]
    ) -> str | None:
        try:
            return persist(action)
        except ModelNotLogged as error:
            self._notify(f"tracking: {error}; the rest goes on.")
            return None

    def _recorder(self) -> ModelRecorder:
        from sweep.models.recorder import ModelRecorder  # torch too: only where there are models

        return ModelRecorder(self._uri, self._experiment, self._folder)

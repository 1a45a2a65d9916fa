"""The one process that asks, decides and records; it never trains.

Decide, then act: replies become events, events are appended and folded, the scheduler decides from
what is folded, its decisions become events and commands. Everything that must survive is in the log
before anybody acts on it.
"""

from __future__ import annotations

import logging
import math
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from cluster.errors import HeadLost
from sweep.errors import ExecutorError
from sweep.history.state import Standing, TrialState
from sweep.log import kinds
from sweep.log.event import Event
from sweep.pruning.verdicts import Decision, PausingRule, Verdict, rungs_of
from sweep.running.asking import Asking
from sweep.running.clock import Clock, Moment
from sweep.running.fleet import Fleet
from sweep.running.journal import Journal
from sweep.running.recording import events_of, given_up, lost_event
from sweep.running.repeats import Repeat
from sweep.running.retention import Retention
from sweep.running.scheduler import MAX_DEATHS, Decisions, Scheduling, decide
from sweep.work.protocol import (
    Admit,
    Combine,
    Combined,
    Command,
    Continue,
    Evaluate,
    Evicted,
    Lost,
    Reply,
    SaveAll,
    Stop,
    Unreadable,
)
from trainers.config.train_config import TrainConfig

_LOG = logging.getLogger(__name__)
POLL_SECONDS = 0.5
IDLE_SECONDS = 0.02
SAVING_SECONDS = 15.0
ENSEMBLE = -1  # no trial's number
ASKED_TO_END = ("interrupted", "stopped")
"""Reasons of `stop` that somebody waits for: nothing more is begun."""


class Coordinator:
    """Runs one session of a sweep over an executor whose workers are started."""

    def __init__(
        self,
        journal: Journal,
        rules: Scheduling,
        fleet: Fleet,
        asking: Asking,
        retention: Retention,
    ) -> None:
        """Take over what `sweep.running.session` has put together."""
        self.state = journal.state
        self.clock = Clock()
        self._journal = journal
        self._rules = rules
        self._fleet = fleet
        self._asking = asking
        self._retention = retention
        self._ended: list[int] = []

    # -- the loop ------------------------------------------------------------------------------

    def run(self, stop: Callable[[], str | None], watch: Callable[[Coordinator], None]) -> str:
        """Run until everything is done or `stop` gives a reason; return why it ended.

        Args:
            stop: Asked between rounds; "interrupted", "stopped", "budget" or None.
            watch: Called after every round, for progress.
        """
        self._recover()
        while True:
            reason = stop()
            if reason is not None:
                self._save_all(watch)
                return reason
            decided = self._decide()
            if decided.finished:
                return "finished"
            self._carry_out(decided)
            self._fleet.keep_busy()
            self._consume(self._poll(self._patience(decided)))
            self._tend()
            watch(self)

    def evaluate(
        self,
        numbers: Sequence[int],
        stop: Callable[[], str | None],
        watch: Callable[[Coordinator], None],
    ) -> None:
        """Evaluate finalists on the test part, each once in the sweep's life.

        One whose checkpoint can't be read any more is left out.

        Args:
            stop: As for `run`; a budget that is used up leaves time for this.
            watch: As for `run`.

        Raises:
            ExecutorError: it kills one worker after the other.
        """
        wanted: dict[int, Command] = {}
        for number in numbers:
            trial = self.state.trials[number]
            if not trial.test:
                wanted[number] = Evaluate(number, self._checkpoint(trial))
        self._have_done(wanted, stop, watch)

    def combine(
        self,
        numbers: Sequence[int],
        seed: int,
        stop: Callable[[], str | None],
        watch: Callable[[Coordinator], None],
    ) -> None:
        """Choose an ensemble of finalists; where they can't be combined, the log says why.

        Args:
            numbers: The finalists, best first.
            seed: Of the interval's resamples.
            stop: As for `evaluate`.
            watch: As for `run`.
        """
        members = tuple((n, self._checkpoint(self.state.trials[n])) for n in numbers)
        try:
            self._have_done({ENSEMBLE: Combine(members, seed)}, stop, watch)
        except ExecutorError as error:  # the finalists stand, whatever becomes of their mean
            none = {str(number): 0 for number in numbers}
            self._record([Event(kinds.Ensembled(none, -1, {}, reason=str(error)))])

    def _have_done(
        self,
        wanted: dict[int, Command],
        stop: Callable[[], str | None],
        watch: Callable[[Coordinator], None],
    ) -> None:
        """Have workers carry out commands, by what their answers are known by."""
        deaths = 0
        while wanted:
            if stop() in ASKED_TO_END:
                return
            ready = self._fleet.answering()
            if ready and not self._fleet.in_flight(ready):
                for index, command in enumerate(wanted.values()):
                    self._fleet.send(ready[index % len(ready)], [command])
            self._fleet.keep_busy()
            found = self._poll(POLL_SECONDS)
            self._consume(found)
            self._tend()
            watch(self)
            told = [item for reply in found if isinstance(reply, Reply) for item in reply.items]
            for item in told:
                wanted.pop(ENSEMBLE if isinstance(item, Combined) else item.trial, None)
            lost = [item for item in found if isinstance(item, Lost)]
            deaths += len(lost)
            if deaths > MAX_DEATHS * len(self._fleet.workers()):
                raise ExecutorError(
                    f"finalists must be evaluated, but {deaths} workers died of it: "
                    f"{lost[-1].reason}; run the same command again."
                )

    def _checkpoint(self, trial: TrialState) -> str:
        assert trial.checkpoint is not None
        return str(self._retention.path(trial.checkpoint))

    def take_ended(self) -> list[int]:
        """Return the trials that ended since the last call."""
        ended, self._ended = self._ended, []
        return ended

    def workers_alive(self) -> int:
        """Return how many workers live and have answered."""
        return len(self._fleet.answering())

    def training(self) -> list[int]:
        """Return the trials that train now."""
        return self._fleet.training(self._rules.pack)

    def moment(self, when: float | None = None) -> Moment:
        """Return how the session's figures stand."""
        when = time.time() if when is None else when
        return Moment(when, self.clock.busy_seconds, self._fleet.seconds_there())

    @property
    def is_elastic(self) -> bool:
        """Whether the number of workers follows the cluster's nodes."""
        return self._fleet.is_elastic

    def health(self) -> dict[str, int]:
        """Return how many workers there are by what they do."""
        return dict(Counter(worker["state"] for worker in self._fleet.health()))

    def pulse(self, facts: dict[str, Any]) -> None:
        """Write how the workers are where people elsewhere can read it."""
        self._journal.log.write_pulse({**facts, "workers": self._fleet.health()})

    # -- deciding ------------------------------------------------------------------------------

    def _decide(self) -> Decisions:
        return decide(self.state, self._fleet.staying(), self._rules, self._fleet.capacity)

    def _patience(self, decided: Decisions) -> float:
        """Return how long to wait for workers: not at all while there is more to decide."""
        if decided != Decisions():
            return 0.0
        return POLL_SECONDS if self._fleet.in_flight(self._fleet.workers()) else IDLE_SECONDS

    def _carry_out(self, decided: Decisions) -> None:
        self._record([self._verdict_event(v) for v in decided.verdicts])
        for verdict in decided.verdicts:
            self._pass_on(verdict)
        self._record([given_up(self.state.trials[n]) for n in decided.given_up])
        self._start(decided.assignments)
        if decided.ask:
            self._ask(decided.follow)

    def _verdict_event(self, verdict: Verdict) -> Event:
        trial = self.state.trials[verdict.trial]
        common = (verdict.trial, trial.attempt, verdict.epoch)
        if verdict.decision is Decision.GO:
            return Event(kinds.Continued(), *common)
        if verdict.decision is Decision.PROMOTE:
            return Event(kinds.Continued(True, verdict.generation), *common)
        if verdict.decision is Decision.RECALL:
            config = {} if trial.config else self._journal.asked_config(trial.number)
            return Event(kinds.Recalled(verdict.generation, config), *common)
        value = self.state.sign * trial.best_at(verdict.epoch, self.state.sign)
        kind = kinds.Paused if verdict.decision is Decision.PAUSE else kinds.Pruned
        values = (value,) if math.isfinite(value) else ()
        what = kind(self._rules.rule.name, trial.best, trial.best_epoch, values, trial.parameters)
        return Event(what, *common)

    def _pass_on(self, verdict: Verdict) -> None:
        trial = self.state.trials[verdict.trial]
        if verdict.decision is Decision.GO:
            self._fleet.let_go_on(Continue(verdict.trial, trial.attempt, verdict.epoch))
        elif not verdict.goes_on:
            self._fleet.tell(trial.worker, Stop(verdict.trial, trial.attempt))

    def _start(self, assignments: Iterable[tuple[int, str]]) -> None:
        events = []
        for number, worker in assignments:
            trial = self.state.trials[number]
            checkpoint = self._standing_checkpoint(trial)
            from_epoch = trial.checkpoint_epoch if checkpoint else 0
            started = kinds.Started(worker, from_epoch, checkpoint)
            events.append(Event(started, number, trial.attempt + 1))
        if events:
            self.clock.first = self.clock.first or self.moment()
        self._record(events)
        for number, worker in assignments:
            self._fleet.give(number, worker, self._admission(self.state.trials[number]))

    def _admission(self, trial: TrialState) -> Admit:
        config = TrainConfig.from_mapping(trial.config)
        rungs, pauses = rungs_of(self._rules.rule, trial), isinstance(self._rules.rule, PausingRule)
        path = str(self._retention.path(trial.checkpoint)) if trial.checkpoint else None
        return Admit(trial.number, trial.attempt, config, rungs, path, trial.cleared, pauses)

    def _standing_checkpoint(self, trial: TrialState) -> str | None:
        """Return what the log says of the trial's checkpoint.

        Without its file it begins anew, to the same numbers.
        """
        recorded = trial.checkpoint
        if recorded is not None and not self._retention.path(recorded).is_file():
            _LOG.warning("trial %d begins anew: its %s is gone", trial.number, recorded)
            return None
        return recorded

    def _ask(self, follow: int | None) -> None:
        self.clock.first = self.clock.first or self.moment()
        self._record(self._asking.next(self.state, follow))

    def add(self, repeats: Iterable[Repeat]) -> None:
        """Take trials that repeat others; `run` trains them."""
        self._record(self._asking.repeat(self.state, repeats))

    def forget_stopped(self) -> None:
        """Delete checkpoints of trials that rungs have ended: the finalists are complete."""
        self._retention.forget_stopped()

    # -- acting --------------------------------------------------------------------------------

    def _tend(self) -> None:
        """Look after the workers; trials that a leaving worker has saved wait for another."""
        self._fleet.tend()
        for back in self._fleet.handed_back():
            _LOG.info("%s goes: %s", back.worker, back.reason)
            self._record([lost_event(self.state.trials[n], back.reason, 0) for n in back.trials])
        workers = self._fleet.resized()
        if workers is not None:
            self._record([Event(kinds.Resized(workers))])

    def _poll(self, timeout_seconds: float) -> list[Reply | Lost]:
        """Wait for workers.

        What fails there may be the doing of a coordinator that took the sweep over while this one
        was frozen: it deletes checkpoints that no event names.
        """
        try:
            return self._fleet.poll(timeout_seconds)
        except ExecutorError:
            self._journal.still_ours()
            raise

    def _consume(self, items: Iterable[Reply | Lost]) -> None:
        """Log what workers said, one transaction for the round."""
        events: list[Event] = []
        for item in items:
            if isinstance(item, Lost):
                self._record(events)  # a trial that has just ended is no longer its worker's
                events = self._loss_events(item)
            else:
                self._fleet.note(item)
                self.clock.busy_seconds += item.busy_seconds
                for back in (i for i in item.items if isinstance(i, Evicted | Unreadable)):
                    _LOG.warning("%s, trial %d: %s", item.worker, back.trial, back.message)
                events += events_of(item, self.state, self._asking.prepared.goal.objectives)
        self._record(events)

    def _loss_events(self, lost: Lost) -> list[Event]:
        """The worker's trials wait again; only those it was training may have killed it.

        Of several, the one that was suspected before is to blame; if none was, all are suspected,
        and no two suspects train together again.
        """
        _LOG.warning("%s died: %s", lost.worker, lost.reason)
        held, training = self._fleet.drop(lost.worker, self._rules.pack)
        suspected = [n for n in training if self.state.trials[n].suspect]
        blamed = (suspected or training) if lost.own_death else []
        return [
            lost_event(self.state.trials[n], lost.reason, len(blamed) if n in blamed else 0)
            for n in held
        ]

    def _record(self, events: Sequence[Event]) -> None:
        """Append events to the log and fold them: nothing is acted on that is not logged."""
        self._journal.record(events, self._after)

    def _after(self, event: Event, trial: TrialState) -> None:
        self._retention.follow(event, trial)
        self.clock.epochs += isinstance(event.what, kinds.Reported)
        ends = trial.ended and not isinstance(event.what, kinds.Evaluated)
        if ends:
            self._ended.append(trial.number)
        if ends or isinstance(event.what, kinds.Paused):
            self.clock.last = self.moment(event.time)
            self._asking.learn(event, trial)
        if ends or isinstance(event.what, kinds.Paused | kinds.Lost):
            self._fleet.take_back(trial.number, trial.worker)

    # -- beginning and end ---------------------------------------------------------------------

    def _recover(self) -> None:
        """What ran when an earlier coordinator was killed waits for its next attempt."""
        lost = [
            Event(kinds.Lost("the coordinator ended"), t.number, t.attempt, t.epoch)
            for t in self.state.active.values()
            if t.state is Standing.RUNNING
        ]
        self._record(lost)

    def _save_all(self, watch: Callable[[Coordinator], None]) -> None:
        """Have every worker write a checkpoint of what it holds, and log it."""
        began, told = time.monotonic(), False
        for worker in self._fleet.answering():
            if self._fleet.held[worker]:
                self._fleet.send(worker, [SaveAll()])
        try:
            while self._fleet.in_flight(self._fleet.answering()):
                self._consume(self._poll(POLL_SECONDS))
                self._tend()  # one that hangs must not be waited for
                watch(self)
                if not told and time.monotonic() - began > SAVING_SECONDS:
                    told = True
                    _LOG.warning("workers are still saving; a second Ctrl-C does not wait for them")
        except HeadLost as lost:  # whoever wants an end gets it: their last checkpoints stand
            _LOG.warning("%s; what was not saved by then is trained again", lost)
        for worker, held in self._fleet.held.items():
            stops = (Stop(number, self.state.trials[number].attempt) for number in held)
            self._fleet.tell(worker, *stops)
        self._recover()

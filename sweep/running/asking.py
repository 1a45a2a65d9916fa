"""From the search to the log: what is asked next, by what the search is told before."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from sweep.config.data_options import structural_params
from sweep.history.state import SweepState, TrialState
from sweep.log.event import Event
from sweep.log.kinds import Asked, Failed
from sweep.running.preparation import Prepared
from sweep.running.repeats import Repeat
from sweep.running.scheduler import Scheduling
from sweep.running.telling import TrialOutcome, due, news, outcomes
from sweep.search.study import Search, Told, restore_search
from trainers.config.train_config import TrainConfig
from trainers.errors import ConfigError


@dataclass
class Asking:
    """Turns asks into `asked` events.

    Attributes:
        untold: What the search must learn yet, when its order allows.
    """

    prepared: Prepared
    rules: Scheduling
    search: Search
    untold: set[TrialOutcome]

    @classmethod
    def restored(
        cls, prepared: Prepared, rules: Scheduling, state: SweepState, *, in_packs: bool
    ) -> Asking:
        """Rebuild the search from the log, and what it learns only at its next ask.

        In reproducible order each ask of the past knew what it knows again; in free order what has
        ended is told all at once.

        Args:
            in_packs: Whether workers may train several trials at once.
        """
        untold = {o for t in state.trials.values() for o in outcomes(t)}

        def before(index: int) -> Iterator[Told]:
            known = due(state, rules, index, untold) if rules.order == "reproducible" else []
            for outcome in known:
                untold.remove(outcome)
                yield state.trials[outcome.number], outcome.again

        search_rules = replace(prepared.search_rules, packs=in_packs)
        search = restore_search(prepared.space, search_rules, state, before)
        return cls(prepared, rules, search, untold)

    def learn(self, event: Event, trial: TrialState) -> None:
        """Note what an event, already applied to its trial, gives to tell."""
        self.untold |= news(event, trial)

    def next(self, state: SweepState, follow: int | None) -> list[Event]:
        """Ask for the next trial.

        Args:
            follow: The trial whose structure it shall have; None for a free ask.

        Returns:
            Its `asked` event; and a `failed` one where the drawn values do not fit together.
        """
        number = len(state.trials)
        for outcome in due(state, self.rules, state.searched, self.untold):
            self.search.tell(state.trials[outcome.number], outcome.again)
            self.untold.remove(outcome)
        pin = None if follow is None else structural_params(state.trials[follow].params)
        params, source = self.search.ask(pin)
        try:
            config = self.prepared.train_config(number, params)
        except ConfigError as error:
            asked = Asked(uuid.uuid4().hex, params, source, {}, 0)
            return [Event(asked, number), Event(Failed("invalid", str(error)), number, 0, 0)]
        follows = follow is not None and self._follows(state.trials[follow], config)
        asked = Asked(
            uuid.uuid4().hex,
            params,
            source,
            config.to_dict(),
            config.seed,
            lead=follow if follows else None,
            bracket=self.rules.rule.bracket(config.max_epochs, state.searched),
        )
        return [Event(asked, number)]

    def repeat(self, state: SweepState, repeats: Iterable[Repeat]) -> list[Event]:
        """Return the `asked` events of trials that repeat others."""
        events = []
        for number, repeat in enumerate(repeats, start=len(state.trials)):
            lead = state.trials[repeat.of]
            config = self.prepared.train_config(number, lead.params, repeat.seed)
            asked = Asked(
                uuid.uuid4().hex,
                lead.params,
                repeat.source,
                config.to_dict(),
                config.seed,
                of=repeat.of,
                lead=lead.lead,
            )
            events.append(Event(asked, number))
        return events

    def _follows(self, lead: TrialState, config: TrainConfig) -> bool:
        """Return whether the structure came out as wanted: known points have their own."""
        wanted = self.prepared.train_config(lead.number, lead.params)
        return wanted.structure() == config.structure()

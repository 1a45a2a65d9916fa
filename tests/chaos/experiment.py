"""One sweep undisturbed, the same one disturbed, and what the two have to say."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from sweep.log.event import Event
from sweep.log.places import open_log
from tests.chaos import verdict, workload
from tests.chaos.schedule import schedule
from tests.chaos.services import Service, postgres_service, tracker_service
from tests.chaos.supervisor import Struck, Stuck, Supervisor
from tests.chaos.verdict import Findings
from tests.integration.mlflow_store import GhostRuns, points_told_twice, stored_runs
from tests.nodes import Cluster
from tests.processes import belonging, command_lines

LINGER_SECONDS = 60.0


@dataclass(frozen=True)
class Settings:
    """What is disturbed, and how."""

    kills: int
    seed: int
    every_seconds: float
    trials: int
    nodes: int
    quick: bool
    on_postgres: bool
    kinds: tuple[str, ...]
    limit_seconds: float


@dataclass
class Result:
    """Everything that the table is made of."""

    settings: Settings
    calm_seconds: float = 0.0
    wild_seconds: float = 0.0
    struck: list[Struck] = field(default_factory=list)
    missed: int = 0
    endings: list[tuple[int, str]] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    findings: Findings = field(default_factory=Findings)
    stuck: str = ""

    @property
    def good(self) -> bool:
        """Whether every strike was made and nothing is wrong."""
        return self.findings.good and not self.missed and not self.stuck


def run(settings: Settings, folder: Path, say: Callable[[str], None]) -> Result:
    """Run both sweeps in the folder and compare them."""
    result = Result(settings)
    calm = _undisturbed(settings, folder / "calm", say, result)
    wild = folder / "wild"
    wild.mkdir()
    with ExitStack() as stack:
        services, changes = _services(settings, wild, stack)
        cluster = Cluster()
        stack.callback(lambda: result.findings.left.extend(cluster.left()))  # once it is closed
        stack.enter_context(cluster)
        cluster.wait(*(cluster.add_node(wait=False) for _ in range(settings.nodes)))
        for service in services.values():
            service.wait()
        spec = workload.write(
            wild / "chaos.yaml",
            settings.trials,
            quick=settings.quick,
            **{**changes, "run": {"address": cluster.address, **changes.get("run", {})}},
        )
        command = [sys.executable, "-m", "sweep", "run", str(spec), "--dir", str(wild)]
        supervisor = Supervisor(cluster, command, services, wild, cluster.environment, say)
        stack.callback(supervisor.close)
        _disturb(supervisor, settings, services, result, say)
        if not result.stuck:
            _compare(calm, _table(wild, cluster.environment), result)
            _examine(wild, cluster, result)
    result.findings.left += [f"at the end: {line}" for line in command_lines(belonging(folder))]
    return result


def _undisturbed(
    settings: Settings, folder: Path, say: Callable[[str], None], result: Result
) -> list[dict]:
    began = time.monotonic()
    if not (folder / "done").exists():
        folder.mkdir()
        off = {"tracking": {"enabled": False}}
        spec = workload.write(folder / "chaos.yaml", settings.trials, quick=settings.quick, **off)
        say(f"undisturbed: {settings.trials} trials")
        _command("run", str(spec), "--dir", str(folder))
        (folder / "done").write_text(str(time.monotonic() - began))
    result.calm_seconds = float((folder / "done").read_text())
    say(f"undisturbed: {result.calm_seconds:.0f} s")
    return _table(folder)


def _services(
    settings: Settings, folder: Path, stack: ExitStack
) -> tuple[dict[str, Service], dict[str, dict]]:
    """Start what the sweep leans on; return it, and the sections of the sweep file that say so."""
    services: dict[str, Service] = {}
    changes: dict[str, dict] = {}
    if settings.on_postgres:
        services["postgres"], url = postgres_service(folder)
        changes["run"] = {"log": url}
    if not settings.quick:
        services["tracker"], url = tracker_service(folder)
        changes["tracking"] = {"uri": url}
    for service in services.values():
        stack.callback(service.kill)
        service.start()
    return services, changes


def _disturb(
    supervisor: Supervisor,
    settings: Settings,
    services: dict[str, Service],
    result: Result,
    say: Callable[[str], None],
) -> None:
    absent = {"postgres", "tracker"} - set(services)
    kinds = [kind for kind in settings.kinds if kind not in absent]
    if absent & set(settings.kinds):
        say(f"not here, so not killed: {', '.join(sorted(absent & set(settings.kinds)))}")
    strikes = schedule(settings.kills, settings.every_seconds, kinds, settings.seed)
    began = time.monotonic()
    try:
        supervisor.run(strikes, settings.limit_seconds)
    except Stuck as error:
        result.stuck = str(error)
    except KeyboardInterrupt:
        result.stuck = "interrupted"
    result.wild_seconds = time.monotonic() - began
    result.struck, result.endings = supervisor.struck, supervisor.endings
    result.missed = len(supervisor.missed)
    say(f"disturbed: {result.wild_seconds:.0f} s")


def _compare(calm: list[dict], wild: list[dict], result: Result) -> None:
    result.findings.unequal = verdict.differences(calm, wild)


def _examine(folder: Path, cluster: Cluster, result: Result) -> None:
    """Look for what was lost, doubled or left in log, MLflow and cluster."""
    findings, trials = result.findings, result.settings.trials
    _command("sync", workload.NAME, "--dir", str(folder), environment=cluster.environment)
    result.events = _events(folder)
    findings.lost = verdict.lost_trials(result.events, trials)
    findings.doubled = verdict.doubled_events(result.events)
    store = folder / "mlflow.db"
    findings.doubled += [f"told MLflow twice: {point}" for point in points_told_twice(store)]
    try:
        runs = stored_runs(store)
    except GhostRuns as error:
        findings.doubled.append(str(error))
    else:
        if len(runs) != trials + 1:
            findings.lost.append(f"MLflow has {len(runs)} runs, not {trials} and the sweep's")
        running = [run.name for run in runs.values() if run.status == "RUNNING"]
        findings.left += [f"MLflow run {name} is RUNNING" for name in running]
    deadline = time.monotonic() + LINGER_SECONDS
    while (left := _ours(folder, cluster)) and time.monotonic() < deadline:
        time.sleep(0.5)
    findings.left += left


def _ours(folder: Path, cluster: Cluster) -> list[str]:
    """Return what the sweep has left running: workers on the cluster, coordinators, sinks."""
    workers = [process for held in cluster.workers().values() for process in held]
    sweeps = [line for line in command_lines(belonging(folder)) if " -m sweep " in line]
    return command_lines(workers) + sweeps


def _events(folder: Path) -> list[Event]:
    log = open_log(folder / workload.NAME)
    try:
        return list(log.read())
    finally:
        log.close()


def _table(folder: Path, environment: dict[str, str] | None = None) -> list[dict]:
    words = ["results", workload.NAME, "--format", "json", "--dir", str(folder)]
    return sorted(
        json.loads(_command(*words, environment=environment)), key=lambda row: row["number"]
    )


def _command(*words: str, environment: dict[str, str] | None = None) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "sweep", *words], env=environment, capture_output=True, text=True
    )
    if done.returncode:
        raise Stuck(f"{' '.join(words)} ended with {done.returncode}: {done.stderr[-2000:]}")
    return done.stdout


def kinds_struck(struck: Sequence[Struck]) -> dict[str, int]:
    """Return how often each kind struck, commonest first."""
    counts: dict[str, int] = {}
    for strike in struck:
        counts[strike.kind] = counts.get(strike.kind, 0) + 1
    return dict(sorted(counts.items(), key=lambda pair: -pair[1]))

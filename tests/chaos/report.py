"""The table that a chaos run ends with."""

from __future__ import annotations

from collections.abc import Sequence

from tests.chaos import verdict, workload
from tests.chaos.experiment import Result, kinds_struck
from tests.chaos.verdict import Recovery

_SHOWN = 8


def table(result: Result) -> str:
    """Return what happened and what was found, as a Markdown table and lists of what is wrong."""
    found = result.findings
    rows = [("what", "found"), *_course(result)]
    rows += [
        ("lost", str(len(found.lost))),
        ("doubled", str(len(found.doubled))),
        ("zombies: processes, actors, runs left RUNNING", str(len(found.left))),
        ("final table", "bit-equal" if not found.unequal else f"{len(found.unequal)} differences"),
    ]
    width = max(len(name) for name, _ in rows)
    lines = [f"| {name.ljust(width)} | {value} |" for name, value in rows]
    lines.insert(1, f"|{'-' * (width + 2)}|---|")
    for name in ("lost", "doubled", "left", "unequal"):
        lines += _listed(name, getattr(found, name))
    lines += _listed("ended by itself", [f"code {code}: {line}" for code, line in result.endings])
    return "\n".join(lines)


def _course(result: Result) -> list[tuple[str, str]]:
    settings, struck = result.settings, result.struck
    kinds = ", ".join(f"{kind} {count}" for kind, count in kinds_struck(struck).items())
    span = struck[-1].time - struck[0].time if len(struck) > 1 else 0.0
    between = span / max(len(struck) - 1, 1)
    rows = [
        ("sweep", f"{settings.trials} trials, seed {settings.seed}, {_where(result)}"),
        ("undisturbed, disturbed", f"{result.calm_seconds:.0f} s, {result.wild_seconds:.0f} s"),
        ("strikes", f"{len(struck)} of {settings.kills}: {kinds}"),
        ("mean time between strikes", f"{between:.1f} s"),
    ]
    if result.stuck:
        rows.append(("STUCK", result.stuck))
    if result.events:
        rows += _cost(result)
    return rows


def _where(result: Result) -> str:
    log = "PostgreSQL" if result.settings.on_postgres else "SQLite"
    record = "SQLite" if result.settings.quick else "a server"
    return f"{result.settings.nodes} raylets and a head, log on {log}, MLflow on {record}"


def _cost(result: Result) -> list[tuple[str, str]]:
    again = verdict.trained_again(result.events)
    seconds = [taken for _, taken in again]
    epochs = sum(count for count, _ in again)
    return [
        ("worker killed to next epoch of its trial", _recovery(_workers(result))),
        ("coordinator killed to next epoch", _recovery(_coordinators(result))),
        ("epochs trained again", f"{epochs} in {len(again)} attempts that were lost"),
        (
            "seconds trained again, by attempt",
            f"{verdict.spread(seconds)}; checkpoints every {workload.CHECKPOINT_SECONDS:g} s",
        ),
    ]


def _workers(result: Result) -> list[Recovery]:
    return verdict.worker_recoveries(result.events, result.struck)


def _coordinators(result: Result) -> list[Recovery]:
    return verdict.coordinator_recoveries(result.events, result.struck)


def _recovery(found: Sequence[Recovery]) -> str:
    alone = [recovery.seconds for recovery in found if recovery.alone]
    every = [recovery.seconds for recovery in found]
    return (
        f"{verdict.spread(alone)} ({len(alone)} with nothing else struck in between); "
        f"all {len(every)}: {verdict.spread(every)}"
    )


def _listed(name: str, items: Sequence[str]) -> list[str]:
    if not items:
        return []
    more = [f"- … {len(items) - _SHOWN} more"] if len(items) > _SHOWN else []
    return [f"\n{name}:", *(f"- {item}" for item in items[:_SHOWN]), *more]

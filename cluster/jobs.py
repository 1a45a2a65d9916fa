"""Sweeps as jobs of a Ray cluster: submitted, listed, followed, stopped.

A sweep's jobs are named `rnn-sweep-NAME-1`, `-2` and so on: each is a session of the same sweep,
and the next goes on where the last one ended.
"""

from __future__ import annotations

import asyncio
import math
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

from cluster.auth import admit, is_loopback
from cluster.dashboard import Dashboard, open_dashboard, tls_context
from cluster.errors import ConnectError, JobError
from cluster.package import Package

STOP_SECONDS = 60
"""What a sweep gets to write its checkpoints when it is stopped."""
PATIENCE_SECONDS = 60.0
_POLL_SECONDS = 0.5
_NAME = re.compile(r"^rnn-sweep-(?P<sweep>.+)-(?P<number>[1-9]\d*)$")
_ENDED = ("SUCCEEDED", "FAILED", "STOPPED")


@dataclass(frozen=True)
class Job:
    """One session of a sweep on a cluster.

    Attributes:
        submission_id: Ray's name for it.
        sweep: The sweep's name.
        number: Which of the sweep's sessions on this cluster, from 1.
        status: Ray's: PENDING, RUNNING, SUCCEEDED, FAILED or STOPPED.
        message: What Ray says about it.
        started: Seconds since the epoch; None before.
        ended: The same.
        exit_code: The command's, once it ended by itself.
    """

    submission_id: str
    sweep: str
    number: int
    status: str
    message: str = ""
    started: float | None = None
    ended: float | None = None
    exit_code: int | None = None

    @property
    def is_over(self) -> bool:
        """Whether it has ended, in whatever way."""
        return self.status in _ENDED


def job_from(values: Mapping[str, Any]) -> Job | None:
    """Read one job of the server's list; None where it is no sweep of ours."""
    match = _NAME.match(str(values.get("submission_id") or ""))
    if match is None:
        return None
    started, ended = (_seconds(values.get(name)) for name in ("start_time", "end_time"))
    return Job(
        match[0],
        match["sweep"],
        int(match["number"]),
        str(values.get("status", "")),
        str(values.get("message") or ""),
        started,
        ended,
        values.get("driver_exit_code"),
    )


def list_jobs(board: Dashboard, sweep: str | None = None) -> list[Job]:
    """Return the cluster's sweeps, or one sweep's sessions, oldest first."""
    found = (job_from(values) for values in board.get("/api/jobs/").json())
    jobs = [job for job in found if job is not None and sweep in (None, job.sweep)]
    return sorted(jobs, key=lambda job: (job.started or math.inf, job.number))


def latest(board: Dashboard, sweep: str) -> Job:
    """Return a sweep's last session.

    Raises:
        JobError: the cluster knows no sweep of that name.
    """
    jobs = list_jobs(board)
    own = [job for job in jobs if job.sweep == sweep]
    if not own:
        there = ", ".join(dict.fromkeys(job.sweep for job in jobs)) or "none yet"
        raise JobError(
            f"a sweep must be one of those submitted to {board.url} ({there}), but got {sweep!r}."
        )
    return max(own, key=lambda job: job.number)


def next_number(jobs: list[Job], sweep: str) -> int:
    """Return the number of a sweep's next session.

    Raises:
        JobError: one runs, or waits to.
    """
    own = [job for job in jobs if job.sweep == sweep]
    for job in own:
        if not job.is_over:
            raise JobError(
                f"a sweep runs once at a time, but {sweep} is {job.status.lower()} as "
                f"{job.submission_id}; follow it with `rnn-sweep logs {sweep}`, or give this one "
                "another --name."
            )
    return max((job.number for job in own), default=0) + 1


def check_joinable(board: Dashboard, allow_open: bool) -> None:
    """Refuse, before anything is sent, a cluster that the job itself would refuse to join.

    A tunnel makes every dashboard one of this machine's, but the job joins its own node's address.

    Raises:
        AccessError: the cluster asks for no token, and its head is not on loopback.
    """
    if not board.is_open:
        return
    answer = board.get("/api/v0/nodes?limit=1000")
    try:
        found = answer.json()["data"]["result"]["result"]
        heads = [str(node["node_ip"]) for node in found if node["is_head_node"]]
    except (ValueError, KeyError, TypeError):
        return  # the job will say it
    for host in heads:
        admit(f"{board.url} (its head is {host})", host, None, True, allow_open)


def upload(board: Dashboard, package: Package) -> bool:
    """Send a package where the cluster does not have it; return whether it had to be sent."""
    place = f"/api/packages/gcs/{package.name}"
    if board.get(place).status == 200:  # asking also keeps it there until the job begins
        return False
    answer = board.put(place, package.data)
    if answer.status != 200:
        raise _refused(board, "the files", answer.body)
    return True


def submit(
    board: Dashboard, sweep: str, package: Package, entrypoint: str, environment: Mapping[str, str]
) -> Job:
    """Run a command on the cluster, in the package's folder, as the sweep's next session.

    Args:
        board: Where.
        sweep: The sweep's name.
        package: As uploaded.
        entrypoint: A shell command; it must hold no secret, everybody on the cluster can read it.
        environment: Variables for it; the same goes for them.

    Raises:
        JobError: the sweep runs already, or the server refuses.
    """
    number = next_number(list_jobs(board), sweep)
    name = f"rnn-sweep-{sweep}-{number}"
    variables = {**environment, "RAY_JOB_STOP_WAIT_TIME_S": str(STOP_SECONDS)}
    answer = board.post(
        "/api/jobs/",
        {
            "entrypoint": entrypoint,
            "submission_id": name,
            "runtime_env": {"working_dir": package.uri, "env_vars": variables},
            "metadata": {"rnn-sweep": sweep},
        },
    )
    if answer.status != 200:
        raise _refused(board, "the job", answer.body)
    return Job(name, sweep, number, "PENDING")


def find(board: Dashboard, job: Job) -> Job:
    """Return the job as it is now."""
    answer = board.get(_path(job))
    found = job_from(answer.json()) if answer.status == 200 else None
    if found is None:
        raise JobError(f"{board.url} does not know {job.submission_id} any more.")
    return found


def read_log(board: Dashboard, job: Job) -> str:
    """Return what a job has said so far."""
    answer = board.get(f"{_path(job)}/logs")
    return str(answer.json()["logs"]) if answer.status == 200 else ""


def follow(board: Dashboard, job: Job, write: Callable[[str], None]) -> Job:
    """Write what a job says as it says it, until it has ended; return how it ended.

    A connection that breaks is made again, for a minute, without repeating what was written.
    """
    written, deadline = 0, time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            before, written = written, asyncio.run(_tail(board, job, write, written))
            now = find(board, job)
            if now.is_over:
                write(read_log(board, job)[written:])
                return now
            if written > before:
                deadline = time.monotonic() + PATIENCE_SECONDS
        except ConnectError:
            if time.monotonic() > deadline:
                raise
        time.sleep(_POLL_SECONDS)


def stop(address: str, name: str, allow_open: bool = False) -> str:
    """Stop a sweep that was submitted; its checkpoints are written, and a resubmit goes on.

    Args:
        address: The Jobs server, as `http://HOST:8265`.
        name: The sweep's name.
        allow_open: As for `open_dashboard`.

    Returns:
        The submission id of the job that was stopped.

    Raises:
        JobError: no sweep of that name is there, none runs, or it does not end.
        ConnectError: the server can't be reached or may not be used.
    """
    board = open_dashboard(address, allow_open)
    job = latest(board, name)
    if job.is_over:
        raise JobError(
            f"a sweep must run to be stopped, but {job.submission_id} has {job.status.lower()}."
        )
    answer = board.post(f"{_path(job)}/stop")
    if answer.status != 200:
        raise _refused(board, "to stop", answer.body)
    deadline = time.monotonic() + STOP_SECONDS + PATIENCE_SECONDS
    while not find(board, job).is_over:
        if time.monotonic() > deadline:
            raise JobError(f"{job.submission_id} was told to stop, but has not ended yet.")
        time.sleep(_POLL_SECONDS)
    return job.submission_id


async def _tail(board: Dashboard, job: Job, write: Callable[[str], None], skip: int) -> int:
    """Write a job's log as it grows, without its first `skip` characters; return its length."""
    import aiohttp

    seen = 0
    encrypted = board.url.startswith("https:")
    trusted: Any = tls_context() if encrypted else True
    url = f"{board.url}{_path(job)}/logs/tail"
    direct = is_loopback(urlsplit(board.url).hostname or "")
    try:
        async with (
            aiohttp.ClientSession(headers=board.headers(), trust_env=not direct) as session,
            session.ws_connect(url, ssl=trusted, heartbeat=30.0, max_msg_size=0) as socket,
        ):
            async for message in socket:
                if message.type is aiohttp.WSMsgType.TEXT:
                    text = str(message.data)
                    write(text[max(skip - seen, 0) :])
                    seen += len(text)
    except (TimeoutError, aiohttp.ClientError, OSError):
        pass  # whether the job goes on, the caller asks
    return max(seen, skip)


def _path(job: Job) -> str:
    return f"/api/jobs/{quote(job.submission_id, safe='')}"


def _seconds(milliseconds: Any) -> float | None:
    return None if milliseconds is None else float(milliseconds) / 1000


def _refused(board: Dashboard, what: str, body: bytes) -> JobError:
    lines = body.decode(errors="replace").strip().splitlines() or ["no reason given"]
    return JobError(f"{board.url} must take {what}, but: {lines[-1]}")

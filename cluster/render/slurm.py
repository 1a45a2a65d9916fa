"""An sbatch script: Ray over all nodes of one job, and the sweep on its first node.

`ray symmetric-run` starts the same command on every node; the first becomes the head, runs the
sweep and ends all of it. The script is its own resume: requeued by Slurm, by itself, or submitted
again, it goes on where the log ends.
"""

from __future__ import annotations

import math
import re
import shlex

from cluster.render.deployment import Deployment

WARNING_SECONDS = 180  # before the time limit: checkpoints are written, the job queues itself again
_GRACE_SECONDS = 30  # for `ray stop` on the head
_HEAD_EXTRA_CPUS = 1  # for the coordinator and the sink, on whatever node is the head

_SCRIPT = """\
#!/bin/bash
{directives}

# {name} on Slurm.  Start, or go on with it: sbatch THIS-FILE
# Stop, all saved:  scancel --batch --signal=TERM JOB
# Passwords never stand here: PostgreSQL's lies in ~/.pgpass, others in the file of exports that
# cluster.deploy.slurm.environment names.

set -euo pipefail
umask 077

export RAY_AUTH_MODE=token
export RAY_USAGE_STATS_ENABLED=0
export SRUN_CPUS_PER_TASK="$SLURM_CPUS_PER_TASK"  # srun does not inherit it
export PYTHONUNBUFFERED=1
# A cold Python on a network disk, on many nodes, takes longer than Ray's 30 seconds to start.
export RAY_SYMMETRIC_RUN_CLUSTER_WAIT_TIMEOUT="${{RAY_SYMMETRIC_RUN_CLUSTER_WAIT_TIMEOUT:-300}}"
{setup}
sweeps={directory}  # on a disk that all nodes share
mkdir -p "$sweeps"
sweeps=$(cd "$sweeps" && pwd)
private="$sweeps/.slurm-$SLURM_JOB_ID"
mkdir "$private" 2> /dev/null || true  # a job that was queued again finds it
chmod 700 "$private"
trap 'rm -rf "$private"' EXIT

spec="$private/{name}.yaml"
cat > "$spec" <<'{mark}'
{sweep}
{mark}

# One token per start: who does not hold it can neither join this Ray nor ask it anything.
export RAY_AUTH_TOKEN_PATH="$private/token"
od -An -N32 -tx1 /dev/urandom | tr -d ' \\n' > "$RAY_AUTH_TOKEN_PATH"
chmod 600 "$RAY_AUTH_TOKEN_PATH"

# The batch script runs on the job's first node, and so does Ray's head.
head_ip="${{RNN_SWEEP_HEAD_IP:-$(hostname -I | awk '{{ print $1 }}')}}"
if [ -z "$head_ip" ]; then
  echo "error: this node must have an address that others reach; set RNN_SWEEP_HEAD_IP" >&2
  exit 2
fi
address="$head_ip:$((20000 + SLURM_JOB_ID % 10000))"

# The sweep's process, told by name to save what it has: Ray itself must outlive it.
driver="$private/driver.pid"
outcome="$private/outcome"
rm -f "$driver" "$outcome"
stopping=
requeue=
told=
# shellcheck disable=SC2329  # traps call it
ask_to_stop() {{
  stopping=yes
  if [ -s "$driver" ]; then
    told=yes
    kill -INT "$(cat "$driver")" 2> /dev/null || true
  fi
}}
trap 'requeue=yes; ask_to_stop' USR1  # the time limit is near, or somebody needs the nodes
trap 'ask_to_stop' TERM INT

# The shell around the sweep notes its process, and how it ended.
# shellcheck disable=SC2016  # that shell expands these, not this one
noting='(echo "$BASHPID" > "$1"; shift 2; exec "$@"); code=$?; echo "$code" > "$2"; exit "$code"'
srun --nodes="$SLURM_JOB_NUM_NODES" --ntasks-per-node=1 \\
  ray symmetric-run --address "$address" --min-nodes "$SLURM_JOB_NUM_NODES" \\
  {resources} \\
  -- bash -c "$noting" sweep "$driver" "$outcome" \\
  rnn-sweep run "$spec" --dir "$sweeps" --set run.address="$address" &
step=$!

# Once the sweep has ended the head stops; other nodes would go on looking for it for minutes.
# They have {grace} seconds: what then still runs ends with the job.
left={grace}
while kill -0 "$step" 2> /dev/null && [ "$left" -gt 0 ]; do
  if [ -s "$outcome" ]; then left=$((left - 1)); fi
  if [ -n "$stopping" ] && [ -z "$told" ]; then ask_to_stop; fi  # it had not begun by then
  sleep 1 &
  wait $! || true  # a signal ends `wait`, not the sleep
done
if [ -s "$outcome" ]; then
  code=$(cat "$outcome")
else
  wait "$step" && code=1 || code=$?  # Ray did not start, or its node is gone
fi

# 0: done. 2: a mistake in the sweep or its surroundings, which the same command would make again.
restarts="${{SLURM_RESTART_COUNT:-0}}"
if [ -n "$requeue" ] || {{ [ -z "$stopping" ] && [ "$code" -ne 0 ] && [ "$code" -ne 2 ] &&
  [ "$restarts" -lt {retries} ]; }}; then
  echo "the sweep ended with $code; queued again, it goes on where it is"
  scontrol requeue "$SLURM_JOB_ID"
fi
exit "$code"
"""


def render(deployment: Deployment) -> str:
    """Return the batch script."""
    return _SCRIPT.format(
        name=deployment.name,
        directives="\n".join(f"#SBATCH {line}" for line in _directives(deployment)),
        setup=_setup(deployment),
        directory=shlex.quote(deployment.directory or "sweeps"),
        mark=_mark(deployment.sweep),
        sweep=deployment.sweep.rstrip("\n"),
        resources=_resources(deployment),
        retries=deployment.retries,
        grace=_GRACE_SECONDS,
    )


def _directives(deployment: Deployment) -> list[str]:
    slurm, workers = deployment.slurm, deployment.workers
    named = {
        "partition": slurm.partition,
        "account": slurm.account,
        "qos": slurm.qos,
        "constraint": slurm.constraint,
    }
    lines = [f"--job-name={deployment.name}"]
    lines += [f"--{option}={_word(value)}" for option, value in named.items() if value]
    lines += [
        f"--nodes={max(1, workers.nodes[1])}",
        "--ntasks-per-node=1",
        f"--cpus-per-task={workers.node_cpus + _HEAD_EXTRA_CPUS}",
        f"--mem={workers.node_memory_gib}G",
    ]
    if workers.node_gpus:
        kind = f":{slurm.gpu_type}" if slurm.gpu_type else ""
        lines.append(f"--gres=gpu{kind}:{workers.node_gpus}")
    lines += ["--exclusive"] if slurm.exclusive else []
    return [
        *lines,
        f"--time={_duration(deployment.hours)}",
        "--requeue",
        "--open-mode=append",
        f"--signal=B:USR1@{WARNING_SECONDS}",
        f"--output={deployment.name}-%j.log",
    ]


def _word(value: str) -> str:
    return value if re.fullmatch(r"[\w.,:@&|*()\[\]+-]+", value) else shlex.quote(value)


def _duration(hours: float) -> str:
    """Return hours as Slurm's DAYS-HOURS:MINUTES:SECONDS, up to the next minute."""
    minutes = math.ceil(hours * 60)
    return f"{minutes // 1440}-{minutes // 60 % 24:02d}:{minutes % 60:02d}:00"


def _setup(deployment: Deployment) -> str:
    slurm = deployment.slurm
    lines = list(slurm.setup)
    if slurm.environment is not None:
        home, _, rest = slurm.environment.partition("~/")
        path = f'"$HOME"/{shlex.quote(rest)}' if not home and rest else shlex.quote(home)
        lines += [
            f"environment={path}",
            '[ "$(stat -c %a "$environment")" = 600 ] || '
            '{ echo "error: $environment must have mode 600" >&2; exit 2; }',
            "# shellcheck source=/dev/null",
            '. "$environment"',
        ]
    return "\n".join(["", *lines, ""]) if lines else ""


def _resources(deployment: Deployment) -> str:
    """Return how much of each node Ray hands out: what workers use, not all that there is."""
    workers = deployment.workers
    words = [f"--num-cpus={workers.node_cpus}", f"--num-gpus={workers.node_gpus}"]
    # Ray would count the whole machine's memory, whatever Slurm lets the job have.
    held = math.ceil(workers.memory_gib * workers.per_node)
    words += [f"--memory={held * 2**30}", f"--object-store-memory={workers.store_gib * 2**30}"]
    if workers.node_labels:
        pairs = ",".join(f"{name}={value}" for name, value in workers.node_labels.items())
        words.append(shlex.quote(f"--labels={pairs}"))
    words.append("--disable-usage-stats")
    return " ".join(words)


def _mark(text: str) -> str:
    """Return a line that ends a here-document and does not stand in its text."""
    mark = "END_OF_SWEEP"
    while mark in text.splitlines():
        mark += "_"
    return mark

"""Deployments that the tests render: one with defaults, one with everything."""

from cluster.render.deployment import Cloud, Deployment, Kubernetes, Slurm, Workers

SWEEP = """\
name: load
data:
  source: csv
  path: /mnt/sweeps/data/load.csv
  target: load
budget:
  trials: 50
cluster:
  max_workers: 6
"""
PLAIN = Deployment(
    name="load",
    sweep=SWEEP,
    image="rnn-sweep:0.1.0",
    ray_version="2.60.0",
    spec_path="/home/me/load.yaml",
)
FULL = Deployment(
    name="Load_2",
    sweep=SWEEP.replace("source: csv", "source: /sweep/own.py:load"),
    image="registry.example.com/team/rnn-sweep:0.1.0-cuda",
    ray_version="2.60.0",
    directory="/mnt/sweeps/team",
    files={"own.py": "def load():\n    return None\n"},
    spec_path="/home/me/load.yaml",
    local_paths={"/home/me/load.csv": "files/0-load.csv"},
    arguments=("--name", "Load_2", "--set", "data.path=/home/ray/sweep/files/0-load.csv"),
    hours=30.5,
    retries=3,
    head_cpus=4,
    head_memory_gib=16.0,
    spot=True,
    workers=Workers(
        cpus=2,
        gpus=0.5,
        memory_gib=6.0,
        accelerator="A100",
        labels={"market": "spot", "zone": "in(a,b)", "team": "!other"},
        fewest=2,
        most=6,
        per_node=2,
    ),
    kubernetes=Kubernetes(
        namespace="sweeps",
        claim="shared",
        node_selector={"nvidia.com/gpu.product": "NVIDIA-A100-SXM4-80GB"},
        tolerations=({"key": "team", "operator": "Equal", "value": "rnn", "effect": "NoSchedule"},),
        token_secret="ray-token",
        postgres_secret="postgres",
        tracking_secret="mlflow-user",
        tls_secret="ray-tls",
        network_policy="operator",
        redis="redis:6379",
        redis_secret="redis",
    ),
    slurm=Slurm(
        partition="gpu",
        account="team",
        qos="long",
        constraint="a100&nvlink",
        exclusive=False,
        gpu_type="a100",
        setup=("module load python/3.11", ". ~/rnn-sweep/.venv/bin/activate"),
        environment="~/.rnn-sweep.env",
    ),
    cloud=Cloud(
        nfs="fs-1.efs.us-west-2.amazonaws.com:/",
        worker="p4d.24xlarge",
        zone="us-west-2b",
        machine_image="ami-0123456789abcdef0",
    ),
)
GCP = Deployment(
    name="load",
    sweep=SWEEP,
    image="rnn-sweep:0.1.0",
    ray_version="2.60.0",
    spec_path="/home/me/load.yaml",
    spot=True,
    workers=Workers(gpus=1.0),
    cloud=Cloud(provider="gcp", project="team"),
)

"""Where workers live: Ray actors, or (their twin for tests and debugging) this process."""

from sweep.work.executors.in_process import InProcessExecutor
from sweep.work.executors.interface import Executor
from sweep.work.executors.on_ray import RayExecutor

__all__ = ["Executor", "InProcessExecutor", "RayExecutor"]

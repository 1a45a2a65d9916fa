"""Where workers live: Ray actors, or (their twin for tests and debugging) this process."""

from sweep.executors.in_process import InProcessExecutor
from sweep.executors.interface import Executor
from sweep.executors.on_ray import RayExecutor

__all__ = ["Executor", "InProcessExecutor", "RayExecutor"]

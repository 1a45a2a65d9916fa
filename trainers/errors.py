"""What can go wrong in training.

TrainerError
├── ConfigError      a training setting breaks a law (user's mistake)
├── DataError        the data break the sequence contract (user's mistake)
├── CheckpointError  a checkpoint is unreadable, or belongs to another configuration
├── OutOfMemory      a pack does not fit into the device's memory
└── DeviceLost       the device answers this process with nothing but errors
"""


class TrainerError(Exception):
    """Base of every error that `trainers` raises on purpose."""


class ConfigError(TrainerError):
    """A training setting breaks a law; the message states law, value and way out."""


class DataError(TrainerError):
    """The data break the sequence contract; the message states law, value and way out."""


class CheckpointError(TrainerError):
    """A checkpoint can't be read or does not fit the trial that asks for it."""


class OutOfMemory(TrainerError):
    """A pack does not fit into memory; its trials can still be saved where they stood."""


class DeviceLost(TrainerError):
    """After an illegal access, say, CUDA fails every call of a process: only a new one can train.

    https://docs.nvidia.com/cuda/cuda-runtime-api/group__CUDART__TYPES.html calls these errors ones
    that leave the process in an inconsistent state.
    """

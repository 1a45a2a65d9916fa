"""The optimizers by name, and what is known of each without torch."""

from __future__ import annotations

from dataclasses import dataclass

from trainers.registry import Registry


@dataclass(frozen=True)
class OptimizerType:
    """An optimizer.

    Attributes:
        sentence: What it is, for people, with its source.
        code: `module:class`, a `trainers.learning.optimizers.interface.Rule`.
        moments: Numbers that it keeps for each weight.
        decoupled: Whether its name says that weight decay is decoupled.
    """

    sentence: str
    code: str
    moments: int
    decoupled: bool = False


_CODE = "trainers.learning.optimizers"
_OWN = {
    "adam": OptimizerType("Kingma & Ba 2015", f"{_CODE}.adam:Adam", 2),
    "adamw": OptimizerType("Loshchilov & Hutter 2019", f"{_CODE}.adam:Adam", 2, decoupled=True),
    "sgd": OptimizerType("stochastic gradient, with momentum or Nesterov's", f"{_CODE}.sgd:Sgd", 1),
    "rmsprop": OptimizerType("Tieleman & Hinton 2012", f"{_CODE}.rmsprop:RmsProp", 2),
    "adagrad": OptimizerType("Duchi et al. 2011", f"{_CODE}.adagrad:Adagrad", 1),
}

OPTIMIZERS: Registry[OptimizerType] = Registry(
    "rnn_sweep.optimizers", "optimizer", OptimizerType, _OWN
)

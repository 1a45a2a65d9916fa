"""What can go wrong in a sweep, and what a person is told.

SweepError
├── UserError            the user can mend it: one line, exit code 2
│   ├── ConfigProblem    the sweep file or an option breaks a law
│   ├── ConfigMismatch   the directory belongs to another configuration
│   ├── LeaseHeld        another coordinator runs this sweep
│   └── LogError         no readable and writable event log where one must be
├── LeaseLost            another coordinator took this sweep over while we ran it
└── ExecutorError        workers can't be started, or can't save or evaluate
"""


class SweepError(Exception):
    """Base of every error that `sweep` raises on purpose."""


class UserError(SweepError):
    """A mistake that the user can mend; the message states law, value and way out."""


class ConfigProblem(UserError):
    """The sweep file or a command-line option breaks a law."""


class ConfigMismatch(UserError):
    """The sweep's directory belongs to another configuration."""


class LeaseHeld(UserError):
    """Another coordinator runs this sweep now."""


class LogError(UserError):
    """There is no readable event log where one must be, or it can't be written."""


class LeaseLost(SweepError):
    """Another coordinator took the sweep over; this one must stop."""


class ExecutorError(SweepError):
    """Workers can't be started, die one after the other, or can't save or evaluate."""

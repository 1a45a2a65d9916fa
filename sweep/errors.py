"""What can go wrong in a sweep, and what a person is told.

SweepError
├── UserError            the user can mend it: one line, exit code 2
│   ├── ConfigProblem    the sweep file or an option breaks a law
│   ├── ConfigMismatch   the directory belongs to another configuration
│   ├── LeaseHeld        another coordinator runs this sweep
│   └── LogError         no readable and writable event log where one must be
├── LeaseLost            another coordinator took this sweep over while we ran it
├── ExecutorError        workers can't be started, or can't save or evaluate
└── TrackerError         the record elsewhere can't be written
    ├── TrackerUnavailable   it does not answer, or answers that it can't: try again later
    ├── RunGone              this one run can't be written any more: someone deleted it
    ├── ModelNotLogged       this one model can't be logged or registered
    └── GaveUp               it stayed away for longer than anybody would wait
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


class TrackerError(SweepError):
    """Base of what can go wrong between a sweep and its tracker."""


class TrackerUnavailable(TrackerError):
    """The tracker does not take the write now; the message is one line without secrets."""


class RunGone(TrackerError):
    """The run was deleted in MLflow; the message names it."""


class GaveUp(TrackerError):
    """The tracker stayed away; what is not written waits in the log."""


class ModelNotLogged(TrackerError):
    """This one model can't be logged or registered; the message is one line."""

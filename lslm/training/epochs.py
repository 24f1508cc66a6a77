"""What a fit tells of itself. No Keras here: the process that waits for a fit reads this too."""

from dataclasses import dataclass, field

from lslm.heads.contract import Array, Head


@dataclass(frozen=True)
class Epoch:
    """What one epoch came to."""

    number: int
    """From 1."""
    metrics: dict[str, float]
    """Training loss; the head's metrics on the validation part, where there is one."""
    seconds: float


@dataclass
class Fit:
    """A finished fit."""

    epochs: list[Epoch] = field(default_factory=list)
    outputs: Array | None = None
    """Answers for the validation part after the last epoch, `(n, ...)`."""

    def best(self, head: Head) -> Epoch:
        """The epoch with the best goal; the earliest of equals."""
        sign = 1 if head.goal.direction == "maximize" else -1
        return max(self.epochs, key=lambda epoch: sign * epoch.metrics[head.goal.metric])
